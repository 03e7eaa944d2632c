# docker buildx bake, for a repository with several apps: examples/apps, say. `--call=bake` writes one, too.
variable "TAG" { default = "dev" }
variable "REGISTRY" { default = "localhost:5000" }

group "default" { targets = ["app"] }

target "app" {
  matrix     = { name = ["clock", "greeter"] }
  name       = name
  dockerfile = "crosshull.yaml"
  target     = name
  platforms  = ["linux/amd64", "linux/arm64"]
  tags       = ["${REGISTRY}/${name}:${TAG}"]
}
