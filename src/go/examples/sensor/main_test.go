package main

import (
	"strings"
	"testing"

	"digger.example/go/replica"
)

func TestALineIsAnsweredOrTold(t *testing.T) {
	var asked []replica.Query
	resolve := func(q replica.Query) (replica.Answer, error) {
		asked = append(asked, q)
		return replica.Answer{Outcome: replica.External}, nil
	}
	in := "now 10.0.0.1 80\n1790000000.25 fd00::1 53/udp\n2026-11-29T10:00:00Z 10.0.0.2 -\nnow 10.0.0.1\n" +
		"noon 10.0.0.1 80\nnow 10.0.0 80\nnow 10.0.0.1 0\nnow 10.0.0.1 80/icmp\n"
	var out, errors strings.Builder
	if follow(strings.NewReader(in), &out, &errors, resolve) {
		t.Error("bad lines are not told by the result")
	}
	if got := out.String(); got != "10.0.0.1 EXTERNAL\nfd00::1 EXTERNAL\n10.0.0.2 EXTERNAL\n" {
		t.Error(got)
	}
	if len(asked) != 3 || !asked[0].At.IsZero() || asked[1].At.UnixMilli() != 1790000000250 || asked[1].Protocol != replica.UDP ||
		asked[2].Port != 0 || asked[0].Port != 80 {
		t.Errorf("%+v", asked)
	}
	for line := 4; line <= 8; line++ {
		if wanted := "line " + string(rune('0'+line)) + ": "; !strings.Contains(errors.String(), wanted) {
			t.Errorf("nothing of line %d in %q", line, errors.String())
		}
	}
}
