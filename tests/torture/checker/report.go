package main

import (
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"
)

// The most violations that are printed of one kind; all are counted.
const shownOfAKind = 3

// report is what the checker found.
type report struct {
	orders    int
	states    map[string]int
	counts    map[string]int
	lines     []string
	undecided int
}

func newReport() *report {
	return &report{states: map[string]int{}, counts: map[string]int{}}
}

// violation notes that a promise of the cured lane is broken, by its kind and by what broke it.
func (r *report) violation(kind, what, why string, values ...any) {
	r.counts[kind]++
	if r.counts[kind] <= shownOfAKind {
		r.lines = append(r.lines, strings.TrimSpace(kind+" "+what)+": "+fmt.Sprintf(why, values...))
	}
}

func (r *report) violations() int {
	sum := 0
	for _, count := range r.counts {
		sum += count
	}
	return sum
}

func (r *report) print(found *history, to io.Writer) {
	open, disturbances := 0, map[string]int{}
	for _, did := range found.operations {
		if did.open() {
			open++
		}
	}
	for _, line := range found.disturbances {
		kind, _, _ := strings.Cut(line.What, " ")
		disturbances[kind]++
	}
	fmt.Fprintf(to, "%d operations, %d of them without an answer\n", len(found.operations), open)
	fmt.Fprintf(to, "%d orders: %s\n", r.orders, counted(r.states))
	fmt.Fprintf(to, "%d kills, %d stops, %d cuts, %.1f seconds\n",
		disturbances["kill"], disturbances["stop"], disturbances["cut"], float64(found.ended)/1e6)
	for _, line := range r.lines {
		fmt.Fprintln(to, "  "+line)
	}
	fmt.Fprintf(to, "violations: %d%s\n", r.violations(), parenthesised(counted(r.counts)))
	if r.undecided > 0 {
		fmt.Fprintf(to, "undecided: %d orders; the time for the check was too short\n", r.undecided)
	}
}

func parenthesised(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}

func counted(counts map[string]int) string {
	names := make([]string, 0, len(counts))
	for name := range counts {
		names = append(names, name)
	}
	sort.Strings(names)
	for place, name := range names {
		names[place] = strconv.Itoa(counts[name]) + " " + name
	}
	return strings.Join(names, ", ")
}

func either(numbers map[int64]bool) string {
	list := make([]int64, 0, len(numbers))
	for number := range numbers {
		list = append(list, number)
	}
	sort.Slice(list, func(a, b int) bool { return list[a] < list[b] })
	words := make([]string, len(list))
	for place, number := range list {
		words[place] = strconv.FormatInt(number, 10)
	}
	return strings.Join(words, " or ")
}
