package main

import (
	"os"
	"strings"
	"testing"
)

func TestTheFirstProgramOfTheDocumentIsThisOne(t *testing.T) {
	document, err := os.ReadFile("../../../../docs/replica-go.md")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	_, behind, _ := strings.Cut(string(document), "```go\n")
	if shown, _, _ := strings.Cut(behind, "```"); shown != string(program) {
		t.Errorf("docs/replica-go.md shows\n%s", shown)
	}
}
