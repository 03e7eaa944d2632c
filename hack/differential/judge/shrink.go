package judge

import (
	"context"
	"slices"

	"github.com/crosshull/crosshull/hack/differential"
)

// Shrink looks for a smaller recipe that shows a difference of the same kind: fewer edits, fewer features, fewer
// projects. It gives the report of the smallest that it found.
func (j *Judge) Shrink(ctx context.Context, report *Report) (*Report, error) {
	kinds := func(r *Report) (list []string) {
		for _, s := range r.Steps {
			if !s.Agree() {
				list = append(list, s.Kind())
			}
		}
		return list
	}
	want := kinds(report)
	if len(want) == 0 {
		return report, nil
	}
	best := report
	best.Recipe.Features = best.Repository.Features
	shows := func(r differential.Recipe) (bool, error) {
		tried, err := j.Run(ctx, r)
		if err != nil {
			return false, err
		}
		if !slices.Contains(kinds(tried), want[0]) {
			return false, nil
		}
		best = tried
		return true, nil
	}
	for n := len(best.Recipe.Edits); n > 0; n-- {
		r := best.Recipe
		r.Edits = slices.Delete(slices.Clone(r.Edits), n-1, n)
		if _, err := shows(r); err != nil {
			return nil, err
		}
	}
	for _, projects := range []int{1, 2, 3, 5, 8} {
		r := best.Recipe
		r.Projects = projects
		if ok, err := shows(r); err != nil {
			return nil, err
		} else if ok {
			break
		}
	}
	// By halves first, as one feature is mostly enough.
	for size := max(1, len(best.Recipe.Features)/2); ; size /= 2 {
		for at := 0; at < len(best.Recipe.Features); {
			r := best.Recipe
			r.Features = slices.Delete(slices.Clone(r.Features), at, min(at+size, len(r.Features)))
			if ok, err := shows(r); err != nil {
				return nil, err
			} else if !ok {
				at += size
			}
		}
		if size <= 1 {
			return best, nil
		}
	}
}
