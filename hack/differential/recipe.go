package differential

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Recipe says what a repository is made from and what is done to it.
type Recipe struct {
	// Seed is what all numbers are drawn from.
	Seed uint64
	// Projects is how many projects there are; 0 lets the seed choose.
	Projects int
	// Features are the names of those that it has; nil lets the seed choose. Not nil and empty is none.
	Features []string
	// Mode is how it is published; "" lets the seed choose.
	Mode string
	// Edits are the numbers of the edits, in their order. Each number is an edit of its own, so one may be left out.
	Edits []int
}

// String gives the arguments that [ParseRecipe] takes.
func (r Recipe) String() string {
	words := []string{"-seed", strconv.FormatUint(r.Seed, 10)}
	if r.Projects > 0 {
		words = append(words, "-projects", strconv.Itoa(r.Projects))
	}
	if r.Features != nil {
		words = append(words, "-features", strings.Join(r.Features, ","))
	}
	if r.Mode != "" {
		words = append(words, "-mode", r.Mode)
	}
	var edits []string
	for _, n := range r.Edits {
		edits = append(edits, strconv.Itoa(n))
	}
	words = append(words, "-edits", strings.Join(edits, ","))
	for i, word := range words {
		if word == "" {
			words[i] = "''" // the text is for a shell
		}
	}
	return strings.Join(words, " ")
}

// ParseRecipe reads what [Recipe.String] gives.
func ParseRecipe(text string) (Recipe, error) {
	var r Recipe
	flags := flag.NewFlagSet("recipe", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	r.Flags(flags)
	words := strings.Fields(text)
	for i, word := range words {
		words[i] = strings.Trim(word, "'")
	}
	if err := flags.Parse(words); err != nil {
		return r, fmt.Errorf("recipe %q: %w", text, err)
	}
	if flags.NArg() > 0 {
		return r, fmt.Errorf("recipe %q: %q is no flag", text, flags.Arg(0))
	}
	return r, nil
}

// Flags makes r what the flags of a command line say.
func (r *Recipe) Flags(flags *flag.FlagSet) {
	flags.Uint64Var(&r.Seed, "seed", 0, "the `number` that all else is drawn from")
	flags.IntVar(&r.Projects, "projects", 0, "`number` of projects (default: by the seed)")
	flags.StringVar(&r.Mode, "mode", "", "how to publish (default: by the seed)")
	flags.Func("features", "`names` of features, with commas (default: by the seed)", func(text string) error {
		r.Features = []string{}
		for name := range strings.SplitSeq(text, ",") {
			if name == "" {
				continue
			}
			if _, ok := findFeature(name); !ok {
				return fmt.Errorf("no feature %q", name)
			}
			r.Features = append(r.Features, name)
		}
		return nil
	})
	flags.Func("edits", "`numbers` of edits, with commas", func(text string) error {
		r.Edits = []int{}
		for word := range strings.SplitSeq(text, ",") {
			if word == "" {
				continue
			}
			n, err := strconv.Atoi(word)
			if err != nil || n < 1 {
				return errors.New("edits are numbers from 1")
			}
			r.Edits = append(r.Edits, n)
		}
		return nil
	})
}
