package spec

import _ "embed" // v1.json

//go:embed v1.json
var schema string

// Schema returns the JSON schema of a spec, draft-07, for editors and other readers of specs. It accepts all that
// [Parse] accepts, after aliases and merge keys are resolved. It refuses most of what Parse refuses. Its test makes it
// from the types, their rules and their comments.
func Schema() []byte { return []byte(schema) }
