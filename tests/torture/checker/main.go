// The checker reads the history of a torture run and proves that the cured lane kept its
// promises, or names those that were broken. It shares no code with the services: it knows
// only what customers were told, and what the two services say at the end.
//
//	checker [-limit 60s] [-pictures FOLDER] HISTORY
//
// Exit status: 0 if there are no violations, 1 if there are some, 2 if it could not be decided.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"
)

func main() {
	limit := flag.Duration("limit", time.Minute, "how long Porcupine may take")
	pictures := flag.String("pictures", "", "the folder for pictures of orders that nothing explains")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "expected one history; usage: checker [-limit 60s] [-pictures FOLDER] HISTORY")
		os.Exit(2)
	}
	os.Exit(run(flag.Arg(0), *limit, *pictures))
}

func run(path string, limit time.Duration, pictures string) int {
	file, err := os.Open(path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	defer file.Close()
	found, err := read(file)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", path, err)
		return 2
	}
	report := check(found, limit, pictures)
	report.print(found, os.Stdout)
	switch {
	case report.violations() > 0:
		return 1
	case report.undecided > 0:
		return 2
	default:
		return 0
	}
}

func check(found *history, limit time.Duration, pictures string) *report {
	report := newReport()
	sorted(found, report).check(limit, pictures)
	balance(found, report)
	return report
}
