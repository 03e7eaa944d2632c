package spec

import _ "embed" // v1.json

//go:embed v1.json
var schema string

// Schema gives the JSON schema of a spec, draft-07, for editors and whatever else reads specs. It accepts all that
// [Parse] accepts, once aliases and merge keys are resolved, and refuses most of what Parse refuses. How it is made of
// the types, their rules and their comments is in the test of it.
func Schema() []byte { return []byte(schema) }
