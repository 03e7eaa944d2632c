package scaffold

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// What a Dockerfile does beside a plain build has a key, or the advice what to do without one.
func TestReadDockerfile(t *testing.T) {
	const sdk = "FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build\n"
	const aspnet = "FROM mcr.microsoft.com/dotnet/aspnet:10.0\n"
	for _, tc := range []struct {
		name, file string
		want       []string // line, key, and the beginning of the advice
	}{
		{"the seed's", "FROM --platform=$BUILDPLATFORM mcr.microsoft.com/dotnet/sdk:10.0 AS build\nARG TARGETARCH\n" +
			"WORKDIR /source\nCOPY --link aspnetapp/*.csproj .\nRUN dotnet restore -a $TARGETARCH\n" +
			"COPY --link aspnetapp/. .\nRUN dotnet publish -a $TARGETARCH --no-restore -o /app\n\n" + aspnet +
			"EXPOSE 8080\nWORKDIR /app\nCOPY --link --from=build /app .\nUSER $APP_UID\nENTRYPOINT [\"./aspnetapp\"]\n",
			[]string{"10 image.ports"}},
		{"that of Visual Studio", "FROM mcr.microsoft.com/dotnet/aspnet:8.0-alpine AS base\nUSER app\nWORKDIR /app\n" +
			"EXPOSE 8081\n" + sdk + "ARG BUILD_CONFIGURATION=Release\nCOPY . .\n" +
			"RUN dotnet build ./Web.csproj -c $BUILD_CONFIGURATION -o /app/build\nFROM build AS publish\n" +
			"RUN dotnet publish ./Web.csproj -c $BUILD_CONFIGURATION -o /app/publish /p:UseAppHost=false\n" +
			"FROM base AS final\nWORKDIR /app\nCOPY --from=publish /app/publish .\nENTRYPOINT [\"dotnet\", \"Web.dll\"]\n",
			[]string{"1 base.family alpine", "4 image.ports"}},
		{"all of an image's configuration", aspnet + "ENV A=1\nLABEL a=b\nMAINTAINER me\nVOLUME /data\nSTOPSIGNAL SIGINT\n" +
			"HEALTHCHECK CMD curl localhost\nUSER 99\nWORKDIR /srv\nENTRYPOINT [\"dotnet\", \"a.dll\", \"--x\"]\nCMD [\"y\"]\n",
			[]string{"2 image.env", "3 image.labels", "4 image.labels", "5 image.volumes", "6 image.stop-signal",
				"7 image.healthcheck", "8 image.user", "9 image.workdir", "10 image.entrypoint", "11 image.args"}},
		{"the app as arguments of a script", aspnet + "COPY start.sh /\nENTRYPOINT [\"/start.sh\"]\n" +
			"CMD [\"dotnet\", \"a.dll\"]\n", []string{"2 files with project: none", "3 image.entrypoint", "4 image.args"}},
		{"files", "FROM scratch AS out\n" + aspnet + "COPY start.sh /\nCOPY --from=out /app .\n" +
			"COPY --from=busybox:1 /bin/sh /bin/\nADD https://example.com/x /x\n",
			[]string{"1 publish.tools if a program", "3 files with project: none", "5 files with image: busybox:1",
				"6 files from: URL"}},
		{"files beside an app", sdk + "RUN dotnet publish\n" + aspnet + "COPY start.sh /\n", []string{"4 files "}},
		{"commands of the image", aspnet + "RUN apt-get update && apt-get install -y curl \\\n && rm -rf /var/lib/apt\n" +
			"RUN mkdir /data && chown app /data\nRUN adduser me\nRUN sed -i s/a/b/ /etc/x\n" +
			"RUN ln -s /app/a /usr/bin/a && rm /app/*.pdb && curl -o /x https://a/x && tar -xf /x\n",
			[]string{"2 base.packages [curl]; with recommends: true if", "4 files an entry", "4 files mode and owner",
				"5 image.users an entry such as {name: me, uid: 10001}, as the number", "6  crosshull runs nothing",
				"7 files link", "7 files remove", "7 files from: URL", "7 files unpack: true"}},
		{"users", aspnet + "RUN groupadd -g 10100 media && groupadd -r other\n" +
			"RUN useradd -rms /bin/bash -u 10001 --gid media -G video,5 --home-dir=/srv/x shop\n" +
			"RUN adduser --disabled-password --gecos \"\" -u $ID shop\nRUN adduser -D -H -u 7 -G media -h / shop\n" +
			"RUN addgroup -S -g 8 \"group\"\nRUN useradd -u 1 $NAME\nRUN adduser shop media\nRUN usermod -aG media shop\n" +
			"RUN useradd -u\n",
			[]string{"2 image.groups {name: media, gid: 10100}", "2 image.groups an entry such as {name: other, gid: 10001}",
				"3 image.users {name: shop, uid: 10001, gid: media, groups: [video, 5], home: /srv/x, shell: /bin/bash}",
				"4 image.users an entry such as {name: shop, uid: 10001}, as",
				"5 image.users {name: shop, uid: 7, gid: media, home: /}",
				"6 image.groups {name: group, gid: 8}", "7 image.users an entry such as {name: shop, uid: 10001}",
				"8 image.users an entry such as {name: shop, uid: 10001}, as", "9 image.users write all about",
				"10 image.users an entry such as"}},
		{"commands of the build", sdk + "RUN apt-get install -y nodejs\nRUN npm ci && npm run build\n" +
			"RUN --mount=type=secret,id=token dotnet restore\nRUN dotnet nuget add source x\nRUN dotnet test\n" +
			"RUN dotnet publish -c Debug\nRUN dotnet publish -p:Version=1\nRUN dotnet publish --self-contained\n" +
			"RUN dotnet publish -p:PublishAot=true\nRUN mkdir /x\n" + aspnet + "COPY --from=build /app .\n",
			[]string{"2 publish.tools an image", "3 publish.before", "4 nuget.secrets or publish", "5 nuget.feeds", "6 tests",
				"7 publish.configuration", "8 publish.properties", "9 publish.mode self-contained", "10 publish.mode"}},
		{"commands around publish", sdk + "RUN sed -i s/a/b/ x.json\nRUN dotnet tool restore\nRUN dotnet tool install x\n" +
			"RUN dotnet publish -o /app && rm /app/x.pdb\nRUN dotnet ef migrations bundle\n" + aspnet,
			[]string{"2 publish.before", "4 publish.before with the tool in .config", "5 publish.after", "6 publish.after"}},
		{"tests", sdk + "RUN dotnet test tests/unit -c Release --no-build --logger trx\n" +
			"RUN dotnet test --filter=A -s a.runsettings -p:A=1\nRUN dotnet test a --blame-hang-timeout 5m -- A=1\n" + aspnet,
			[]string{"2 tests ", "3 tests with filter, settings", "4 tests with args"}},
		{"several projects", sdk + "RUN dotnet publish src/web -o /app\nRUN dotnet publish ./src/web -c Release\n" +
			"RUN dotnet publish tools/migrator.csproj -o /m\n" + aspnet + "COPY --from=build /app .\n" +
			"COPY --from=build /m /migrator\n", []string{"4 publish.also or apps"}},
		{"other images", "FROM company/sdk AS build\nFROM company/base\n",
			[]string{"1 publish.tools if a program", "2 base.image"}},
		{"packages", aspnet + "RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y " +
			"--no-install-recommends -o Dpkg::Use-Pty=0 curl=7.* \"libgdiplus\" " +
			"&& rm -rf /var/lib/apt/lists/* && apt-get clean\n" +
			"RUN apt install -t bookworm-backports -y curl tzdata/stable $MORE >/dev/null\nRUN apt-get install -yqq $ALL\n" +
			"RUN apt-get upgrade -y && apt-get purge -y wget\nRUN apt-get install -y --no-install-recommends ./a.deb\n",
			[]string{"2 base.packages [curl=7.*, libgdiplus]",
				"3 base.packages [curl/bookworm-backports, tzdata/stable] and the others by their names; with recommends: true if",
				"4 base.packages the others by their names; with", "5 base.image a newer base", "5 base.packages leave out what",
				"6 base.packages the others by their names"}},
		{"sources of packages", aspnet + "RUN mkdir -p /etc/apt/keyrings && curl https://a/key | gpg --dearmor -o /a.gpg\n" +
			"RUN echo \"deb https://a/ ./\" > /etc/apt/sources.list.d/a.list\n" +
			"RUN curl -o /usr/share/keyrings/a.asc https://a/\n",
			[]string{"2 files from: URL", "2 base.packages.keys with the key", "3 base.packages.sources",
				"4 base.packages.keys with the key"}},
		{"a script", aspnet + "RUN <<EOF\nset -e\napk add tzdata\nEOF\n", []string{"2 base.image a base"}},
		{"a command without a shell", aspnet + "RUN [\"apt-get\", \"install\", \"curl\"]\n",
			[]string{"2 base.packages [curl]"}},
		{"a stage in other case", "FROM mcr.microsoft.com/dotnet/runtime:9.0 AS Base\nFROM base\nENV A=1\n",
			[]string{"3 image.env"}},
		{"a stage of its own name", "FROM alpine AS alpine\nENV A=1\n", []string{"1 base.image", "2 image.env"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := ReadDockerfile("Dockerfile", []byte(tc.file))
			if d.Err != nil {
				t.Fatal(d.Err)
			}
			var got []string
			for _, n := range d.Needs {
				got = append(got, fmt.Sprintf("%d %s %s", n.Line, n.Key, n.Advice))
				if n.Text == "" {
					t.Errorf("line %d has no text", n.Line)
				}
			}
			if !slices.EqualFunc(got, tc.want, func(g, w string) bool { return strings.HasPrefix(g, w) }) {
				t.Errorf("got  %q\nwant %q", got, tc.want)
			}
		})
	}
	for _, bad := range []string{"", "FROM", "RUN x\n", "\xff", "FROM a\nNONSENSE b\n"} {
		if d := ReadDockerfile("Dockerfile", []byte(bad)); len(d.Needs) > 0 {
			t.Errorf("%q needs %v", bad, d.Needs)
		}
	}
}

func TestIsDockerfile(t *testing.T) {
	for name, want := range map[string]bool{
		"Dockerfile": true, "src/web/Dockerfile": true, "Dockerfile.alpine": true, "web.Dockerfile": true,
		"Dockerfile.dockerignore": false, "dockerfile.txt": false, "Dockerfiles/x": false,
	} {
		if IsDockerfile(name) != want {
			t.Errorf("%s: not %v", name, want)
		}
	}
}

func FuzzReadDockerfile(f *testing.F) {
	f.Add("FROM a AS b\nRUN x && dotnet publish -p:A=1\nFROM b\nCOPY --from=0 a b\n")
	f.Fuzz(func(t *testing.T, file string) {
		checkSpec(t, Found{Apps: []App{{Path: "a.csproj"}}, Dockerfiles: []Dockerfile{ReadDockerfile(file, []byte(file))}})
	})
}
