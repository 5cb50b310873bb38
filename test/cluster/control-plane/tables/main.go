// Prints what Go's own code makes of inputs that digger reads as it does: `tables selectors` what labels.Parse of
// k8s.io/apimachinery does with label selectors, `tables patterns` what path.Match does with patterns. The tables are
// checked in beside the tests that read them (test/model), and compared with this output in test/cluster/tables.test.ts.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"sort"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
)

func main() {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	switch os.Args[1] {
	case "selectors":
		selectors(out)
	case "patterns":
		patterns(out)
	}
}

var labelSets = []labels.Set{
	{}, {"a": ""}, {"a": "in"}, {"a": "1", "b": "x"}, {"a": "10", "in": "a"}, {"notin": "1", "b": ""}, {"a": "z", "b": "1"},
}

// One line for each input: the input as JSON, then `error`, or the requirements and which label sets match.
func selectors(out *bufio.Writer) {
	long := strings.Repeat("a", 63)
	inputs := []string{
		"", " ", "\t\r\n ", "x", "!x", "! x", "!!x", "x=", "x==", "x!=", "x=y", "x==y", "x = y", "x!=y", "x=!y", "x!==y", "x===y",
		"x in (a,b)", "x in (b, a,b)", "x notin (a)", "x in ()", "x in (,)", "x in (,,)", "x in (a,)", "x in (,a)", "x in (a,,b)",
		"x in (a b)", "x in a", "x in (a", "x in a)", "x in", "x notin", "in", "notin", "in in (in)", "notin notin (notin,in)", "!in",
		"in=notin", "x=in", "x>1", "x<1", "x > 01", "x>", "x>a", "x>-1", "x>+1", "x>1.5", "x>9223372036854775807",
		"x>9223372036854775808", "x>=1", "x<>1", "x,y", "x,", ",x", ",", "x,,y", "x y", "x)", "(x)", "x(", "x=y z", "x=y,z=w,!v",
		"x=y,x!=z,x", "x,x", "!x=y", "!x in (a)", "!x notin ()", "a/b=c", "a/b/c", "/b", "a/", "A/b", "a.b-c.d/E_f.g=1", "a..b/c",
		"-a", "a-", "_a", ".a", "a_", "a=-b", "a=b-", "a=_", "a=b.c_d-e", "a=b/c", "a=é", "é=a", "a=\"b\"", "a='b'", "a:b", "a=b;c",
		long + "=" + long, long + "a", "a=" + long + "a", strings.Repeat("a.", 126) + "a/b", strings.Repeat("a.", 127) + "a/b",
		"kubernetes.io/metadata.name=shop", "env in (prod,test),team!=money,!legacy,generation>3",
	}
	tokens := []string{"a", "b", "in", "notin", "1", "!", "=", "==", "!=", "(", ")", ",", ">", "<", " ", "a/b"}
	for _, first := range tokens {
		for _, second := range tokens {
			inputs = append(inputs, first+second)
		}
	}
	random := lcg(1)
	for i := 0; i < 800; i++ {
		var text strings.Builder
		for n := 3 + random.below(7); n > 0; n-- {
			text.WriteString(tokens[random.below(len(tokens))])
			if random.below(3) == 0 {
				text.WriteString(" ")
			}
		}
		inputs = append(inputs, text.String())
	}
	fragments := []string{
		"a", "!a", "a=1", "a==z", "a!=1", "a in (1, z)", "a notin (,z)", "a>1", "a<10", "b", "!b", "b=", "b!=x", "b in (x,1)", "b notin ()",
		"in", "notin=1", "!notin", "in in (a)", "a notin(in)",
	}
	for i := 0; i < 400; i++ {
		var text strings.Builder
		for n := 1 + random.below(4); n > 0; n-- {
			text.WriteString(fragments[random.below(len(fragments))])
			if n > 1 || random.below(12) == 0 {
				text.WriteString([]string{",", " , ", ",", " "}[random.below(4)])
			}
		}
		inputs = append(inputs, text.String())
	}
	for _, input := range inputs {
		quoted, _ := json.Marshal(input)
		// No HTML here.
		text := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(quoted))
		parsed, err := labels.Parse(input)
		if err != nil {
			fmt.Fprintf(out, "%s\terror\n", text)
			continue
		}
		requirements, _ := parsed.Requirements()
		seen := map[string]bool{}
		var said []string
		for _, each := range requirements {
			values := each.Values().List()
			one := fmt.Sprintf("%s %s %s", each.Key(), names[each.Operator()], strings.Join(values, "|"))
			if !seen[one] {
				said = append(said, one)
			}
			seen[one] = true
		}
		sort.Strings(said)
		verdicts := ""
		for _, set := range labelSets {
			if parsed.Matches(set) {
				verdicts += "1"
			} else {
				verdicts += "0"
			}
		}
		fmt.Fprintf(out, "%s\t%s\t%s\n", text, strings.Join(said, ";"), verdicts)
	}
}

var names = map[selection.Operator]string{
	selection.Equals: "in", selection.DoubleEquals: "in", selection.In: "in", selection.NotEquals: "notin",
	selection.NotIn: "notin", selection.Exists: "exists", selection.DoesNotExist: "absent", selection.GreaterThan: "gt",
	selection.LessThan: "lt",
}

// One line for each pattern: the pattern as JSON, then for each name `1` (it matches), `0` or `e` (a bad pattern).
func patterns(out *bufio.Writer) {
	texts := []string{"", "a", "b", "ab", "abc", "a-b", "a]", "-", "*", "kube-system", "kube-public", "shop", "shop-1", "a/b", "é", "\\"}
	inputs := []string{
		"kube-*", "*", "**", "*-*", "shop", "shop-?", "shop-[0-9]", "shop-[^0-9]", "[a-z]*", "[^k]*", "*system", "k*-*m", "?*", "*?",
		"[", "[]", "[]a]", "[^]a]", "[a", "[a-", "[a-]", "[-a]", "[a-b-c]", "[x-a]", "a[", "a\\", "\\a", "\\*", "[\\]]", "[\\-]", "[a\\]",
		"*[", "*\\", "a*[", "a/*", "*/b", "a?b", "[é]", "[à-ü]", "?", "é", "{a,b}", "a|b", "^a", "!a", "[!a]", "[^]", "[^a", "[^-a]", "[--a]",
		"*a*b*c*", "a*a*a*a*b", "***-***", "*]", "]", "[a]]", "[[a]", "[*]", "[?]", "\\\\", "\\[a\\]", "kube-[ps]*", "*kube*",
	}
	alphabet := []string{"a", "b", "*", "?", "[", "]", "^", "-", "\\", "/"}
	for _, first := range alphabet {
		inputs = append(inputs, first)
		for _, second := range alphabet {
			inputs = append(inputs, first+second)
			for _, third := range alphabet {
				inputs = append(inputs, first+second+third)
			}
		}
	}
	random := lcg(2)
	for i := 0; i < 1000; i++ {
		var text strings.Builder
		for n := 4 + random.below(6); n > 0; n-- {
			text.WriteString(alphabet[random.below(len(alphabet))])
		}
		inputs = append(inputs, text.String())
	}
	named, _ := json.Marshal(texts)
	fmt.Fprintf(out, "%s\n", named)
	for _, pattern := range inputs {
		quoted, _ := json.Marshal(pattern)
		verdicts := ""
		for _, text := range texts {
			matched, err := path.Match(pattern, text)
			switch {
			case err != nil:
				verdicts += "e"
			case matched:
				verdicts += "1"
			default:
				verdicts += "0"
			}
		}
		fmt.Fprintf(out, "%s\t%s\n", quoted, verdicts)
	}
}

// A generator that stays the same whatever Go's own does.
type generator struct{ state uint64 }

func lcg(seed uint64) *generator { return &generator{seed} }

func (g *generator) below(n int) int {
	g.state = g.state*6364136223846793005 + 1442695040888963407
	return int((g.state >> 33) % uint64(n))
}
