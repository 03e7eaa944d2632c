package llb

import (
	"maps"
	"strings"
	"time"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// LabelSource is one of those that give an image labels or annotations.
type LabelSource struct {
	// Who gives them and What they are, in the words of docs/labels.md.
	Who, What string
	// From is what [Configuration.Origins] says of its labels.
	From Origin
	// Label and Annotation tell where its values go: into the configuration of the image, onto its manifest, or both.
	Label, Annotation bool
	// values is nil where BuildKit writes them itself.
	values func(*ConfigOpt) map[string]string
}

// LabelSources are all of them, the later over the earlier. The SDK writes no annotations. Those that crosshull adds
// are what only it knows or what the user asks for, because an annotation of a frontend wins over --annotation of the
// same key (BuildKit, exporter/containerimage: Export merges the annotations of the result over those of the flags).
var LabelSources = []LabelSource{
	{
		"the base", "its labels, but not those that tell of the base itself; its annotations never",
		FromBase, true, false, inherited,
	},
	{
		"crosshull", "the name and the digest of the base where the SDK names it, times with `SOURCE_DATE_EPOCH`, " +
			"repository and commit with `image.vcs` or `PublishRepositoryUrl`: each unless the project says it itself",
		FromProject, true, true, known,
	},
	{
		"the SDK and the project", "what the SDK generates, and `ContainerLabel` of the project over that",
		FromProject, true, false, described,
	},
	{
		"the spec", "`image.labels`",
		FromSpec, true, false, func(o *ConfigOpt) map[string]string { return o.Spec.Labels },
	},
	{
		"the spec", "`image.annotations`",
		FromSpec, false, true, func(o *ConfigOpt) map[string]string { return o.Spec.Annotations },
	},
	{
		"buildx", "`--label`",
		FromFlag, true, false, func(o *ConfigOpt) map[string]string { return o.Labels },
	},
	{
		"buildx", "`--annotation`",
		FromFlag, false, true, nil,
	},
}

// LabelRule says that labels tell of one image alone.
type LabelRule struct {
	// Prefix begins their names.
	Prefix string
	// Why they would be wrong on an image that is put onto that one, in the words of docs/labels.md.
	Why string
}

// NotInherited are the labels of a base that an image on it does not get. All others it gets, and [LabelDistribution]
// of a base that says no more of itself than that and a version: there it is no name of the base, but of the
// distribution below it.
var NotInherited = []LabelRule{
	{"org.opencontainers.image.", "title, version, source, commit, licenses, times and base of the base (OCI image spec)"},
	{"org.opencontainers.artifact.", "what the SDK writes beside them"},
	{"org.label-schema.", "the names that they had before"},
	{"net.dot.", "the SDK and the framework of the app that is in the base"},
}

// LabelDistribution is what images of Ubuntu have, Microsoft's .NET images on them, and what the SDK puts onto those.
const LabelDistribution = ocispecs.AnnotationRefName

// inherited are the labels of the base that are as true of an image that is put onto it.
func inherited(opt *ConfigOpt) map[string]string {
	labels := map[string]string{}
	if opt.Base.Config == nil {
		return labels
	}
	describesItself := false
	for k, v := range opt.Base.Config.Config.Labels {
		switch {
		case !tellsOfOneImage(k):
			labels[k] = v
		case k != LabelDistribution && k != ocispecs.AnnotationVersion:
			describesItself = true
		}
	}
	if name, ok := opt.Base.Config.Config.Labels[LabelDistribution]; ok && !describesItself {
		labels[LabelDistribution] = name
	}
	return labels
}

func tellsOfOneImage(key string) bool {
	for _, r := range NotInherited {
		if strings.HasPrefix(key, r.Prefix) {
			return true
		}
	}
	return false
}

const (
	labelCreated         = ocispecs.AnnotationCreated
	labelArtifactCreated = "org.opencontainers.artifact.created"
)

// generated are labels that the SDK gives values that crosshull knows better: the clock, and a base that it has not
// looked at.
var generated = []string{
	labelCreated, labelArtifactCreated, ocispecs.AnnotationBaseImageName, ocispecs.AnnotationBaseImageDigest,
}

// described are the labels of the SDK and the project. A label of the project comes before a generated one of the same
// name (dotnet/sdk#52256). Of those that crosshull knows better only the project's own are among them.
func described(opt *ConfigOpt) map[string]string {
	labels := map[string]string{}
	count := map[string]int{}
	for _, kv := range opt.App.Labels {
		if count[kv.Key]++; count[kv.Key] == 1 {
			labels[kv.Key] = kv.Value
		}
	}
	for _, k := range generated {
		if count[k] < 2 { // the generated one alone
			delete(labels, k)
		}
	}
	return labels
}

// known are the labels that crosshull knows: times only if there is a time to tell, the base that this image is on, the
// commit, which the SDK does not see. A project that does not want the SDK to generate a label does not get it from
// crosshull either, and what it says itself is not said twice.
func known(opt *ConfigOpt) map[string]string {
	says := map[string]bool{}
	for _, kv := range opt.App.Labels {
		says[kv.Key] = true
	}
	labels := map[string]string{}
	if opt.Epoch != nil {
		for _, k := range []string{labelCreated, labelArtifactCreated} {
			if says[k] {
				labels[k] = opt.Epoch.UTC().Format(time.RFC3339)
			}
		}
	}
	// The SDK names the base unless ContainerGenerateLabelsImageBaseName says not to.
	if says[ocispecs.AnnotationBaseImageName] && opt.Base.Name != "" {
		labels[ocispecs.AnnotationBaseImageName] = opt.Base.Name
		if opt.Base.Digest != "" {
			labels[ocispecs.AnnotationBaseImageDigest] = opt.Base.Digest.String()
		}
	}
	for key, value := range map[string]string{
		ocispecs.AnnotationSource: opt.VCS.Source, ocispecs.AnnotationRevision: opt.VCS.Revision,
	} {
		if value != "" && !says[key] {
			labels[key] = value
		}
	}
	for k := range described(opt) { // the project's own
		delete(labels, k)
	}
	return labels
}

// addLabels gives a configuration its labels, its annotations and their origins, by the table.
func (c *Configuration) addLabels(opt *ConfigOpt) {
	labels := map[string]string{}
	c.Annotations = map[string]string{}
	for _, s := range LabelSources {
		if s.values == nil {
			continue
		}
		values := s.values(opt)
		if s.Annotation {
			maps.Copy(c.Annotations, values)
		}
		if !s.Label {
			continue
		}
		maps.Copy(labels, values)
		for k := range values {
			c.Origins["labels."+k] = s.From
		}
	}
	c.Image.Config.Labels = labels
}
