package llb

import (
	"maps"
	"strings"
	"time"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// LabelSource is a source of labels or annotations of an image.
type LabelSource struct {
	// Who gives them and What they are, in the words of docs/reference/labels.md.
	Who, What string
	// From is what [Configuration.Origins] says of its labels.
	From Origin
	// Label and Annotation tell where its values go: into the configuration of the image, onto its manifest, or both.
	Label, Annotation bool
	// values is nil where BuildKit writes them itself.
	values func(*ConfigOpt) map[string]string
}

// LabelSources are all sources. A later one wins over an earlier one. The SDK writes no annotations. Crosshull adds
// only annotations that nobody else knows or that the user asks for, because an annotation of a frontend wins over
// --annotation of the same key (BuildKit, exporter/containerimage: Export merges the annotations of the result over
// those of the flags).
var LabelSources = []LabelSource{
	{
		"the base", "its labels, except those that describe only the base; never its annotations",
		FromBase, true, false, inherited,
	},
	{
		"crosshull", "name and digest of the base if the SDK names it; times with `SOURCE_DATE_EPOCH`; repository and " +
			"commit with `image.vcs` or `PublishRepositoryUrl`. A value of the project wins over each of them",
		FromProject, true, true, known,
	},
	{
		"the SDK and the project", "what the SDK generates; `ContainerLabel` of the project wins over that",
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

// LabelRule names labels that describe a single image.
type LabelRule struct {
	// Prefix is how the names of the labels begin.
	Prefix string
	// Why says what they describe, so that an image on top must not have them; in the words of docs/reference/labels.md.
	Why string
}

// NotInherited are the labels of a base that an image on it does not get; it gets all others. [LabelDistribution] is
// the exception: an image gets it if the base has none of the other labels but a version. In that case it names the
// distribution, not the base.
var NotInherited = []LabelRule{
	{"org.opencontainers.image.", "title, version, source, commit, licenses, times and base of the base (OCI image spec)"},
	{"org.opencontainers.artifact.", "labels that the SDK writes with the same content"},
	{"org.label-schema.", "the older names of these labels"},
	{"net.dot.", "the SDK and the framework of an app in the base"},
}

// LabelDistribution names the distribution. Images of Ubuntu have it, so do Microsoft's .NET images and the SDK's.
const LabelDistribution = ocispecs.AnnotationRefName

// inherited are the labels of the base that an image on it gets.
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

// generated are labels of the SDK for which crosshull has better values. The SDK reads the clock, and has not looked at
// the base.
var generated = []string{
	labelCreated, labelArtifactCreated, ocispecs.AnnotationBaseImageName, ocispecs.AnnotationBaseImageDigest,
}

// described are the labels of the SDK and the project. A label of the project comes before a generated one of the same
// name (dotnet/sdk#52256). Of the labels in generated only those that the project sets itself are here.
func described(opt *ConfigOpt) map[string]string {
	labels := map[string]string{}
	count := map[string]int{}
	for _, kv := range opt.App.Labels {
		if count[kv.Key]++; count[kv.Key] == 1 {
			labels[kv.Key] = kv.Value
		}
	}
	for _, k := range generated {
		if count[k] < 2 { // only the generated one
			delete(labels, k)
		}
	}
	return labels
}

// known are the labels that crosshull itself sets: times if SOURCE_DATE_EPOCH is set, the base, and the commit, which
// the SDK does not see. If the project tells the SDK not to generate a label, crosshull does not set it either. It also
// leaves out a label that the project sets itself.
func known(opt *ConfigOpt) map[string]string {
	says := map[string]bool{}
	for _, kv := range opt.App.Labels {
		says[kv.Key] = true
	}
	if opt.App.None() { // what the SDK generates by default
		for _, k := range generated {
			says[k] = true
		}
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

// addLabels sets the labels and the annotations of a configuration, and the origins of the labels, by [LabelSources].
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
