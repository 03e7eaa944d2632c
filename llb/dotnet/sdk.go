package dotnet

// SDKRepository is where Microsoft publishes the SDK.
const SDKRepository = "mcr.microsoft.com/dotnet/sdk"

// DefaultSDK is the tag of the SDK that builds when neither spec nor global.json ask for one: the newest line with
// long-term support. It builds apps for every older TargetFramework too.
const DefaultSDK = "10.0"
