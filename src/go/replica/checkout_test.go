//go:build checkout

package replica

// Compares with the reading code of the server, src/timelines, on made-up histories. It needs a checkout with
// node_modules, so it stands behind a build tag: go test -tags checkout ./replica -run TypeScript

import (
	"flag"
	"os"
	"os/exec"
	"strconv"
	"testing"
)

var (
	seedFlag      = flag.Int("seed", 1, "first seed of the made-up histories")
	worldsFlag    = flag.Int("worlds", 200, "how many of them")
	questionsFlag = flag.Int("questions", 100, "questions about each")
)

func TestTypeScriptGivesTheSameAnswers(t *testing.T) {
	node := exec.Command("node_modules/.bin/node", "test/vectors/write-random.ts",
		strconv.Itoa(*seedFlag), strconv.Itoa(*worldsFlag), strconv.Itoa(*questionsFlag))
	node.Dir = "../../.."
	node.Stderr = os.Stderr
	out, err := node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	asked := checkAll(t, out)
	if err := node.Wait(); err != nil {
		t.Fatal(err)
	}
	if asked != *worldsFlag**questionsFlag {
		t.Fatalf("%d questions, not %d", asked, *worldsFlag**questionsFlag)
	}
	t.Logf("%d questions, seeds %d to %d", asked, *seedFlag, *seedFlag+*worldsFlag-1)
}
