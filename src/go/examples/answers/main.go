// Answers reads questions as lines of JSON and prints what a replica says to each, one line of JSON for each line. It is
// for programs in other languages, and for tests that hold this replica to the answers of a server.
//
//	echo '{"address":"10.244.1.2","port":8080,"protocol":"TCP"}' | go run ./examples/answers -target 127.0.0.1:50051
//
// A question has "address"; "port", "protocol", "atMs" and "untilMs" where they are given. An answer has the form of
// test/vectors/README.md, and beside it "target", the server that is followed or was tried last, "resets", how often a
// server has sent everything anew, and "behindMs", unless all is followed. What cannot be answered has "error".
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"digger.example/go/replica"
)

type question struct {
	Address  string `json:"address"`
	Port     uint16 `json:"port"`
	Protocol string `json:"protocol"`
	AtMs     *int64 `json:"atMs"`
	UntilMs  *int64 `json:"untilMs"`
}

type holder struct {
	UID       string `json:"uid"`
	Role      string `json:"role"`
	From      int64  `json:"from"`
	To        *int64 `json:"to,omitempty"`
	Uncertain bool   `json:"uncertain,omitempty"`
}

type answer struct {
	Outcome   string   `json:"outcome,omitempty"`
	Uncertain bool     `json:"uncertain,omitempty"`
	Holders   []holder `json:"holders,omitempty"`
	Others    []holder `json:"others,omitempty"`
	Workload  string   `json:"workload,omitempty"`
	Since     int64    `json:"since,omitempty"`
	Target    string   `json:"target"`
	Resets    int64    `json:"resets"`
	BehindMs  int64    `json:"behindMs,omitempty"`
	Error     string   `json:"error,omitempty"`
}

func main() {
	targets := flag.String("target", "127.0.0.1:50051", "servers of digger, with commas between them")
	silence := flag.Duration("silence", 0, "how long a server may be silent; 0: as the replica has it")
	patience := flag.Duration("wait", 30*time.Second, "how long to wait for the first complete picture")
	flag.Parse()
	if err := run(strings.Split(*targets, ","), *silence, *patience); err != nil {
		fmt.Fprintln(os.Stderr, "answers:", err)
		os.Exit(1)
	}
}

func run(targets []string, silence, patience time.Duration) error {
	var resets atomic.Int64
	r, err := replica.Connect(context.Background(), replica.Options{
		Targets: targets, WithoutEntities: true, Silence: silence,
		OnEvent: func(event replica.Event) {
			if _, ok := event.(replica.ResetEvent); ok {
				resets.Add(1)
			}
		},
	})
	if err != nil {
		return err
	}
	defer r.Close()
	waiting, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := r.Ready(waiting); err != nil {
		return err
	}
	lines, out := bufio.NewScanner(os.Stdin), json.NewEncoder(os.Stdout)
	for lines.Scan() {
		made := ask(r, lines.Bytes())
		made.Target, made.Resets = r.Staleness().Target, resets.Load()
		if err := out.Encode(made); err != nil {
			return err
		}
	}
	return lines.Err()
}

func ask(r *replica.Replica, line []byte) answer {
	var asked question
	if err := json.Unmarshal(line, &asked); err != nil {
		return answer{Error: err.Error()}
	}
	address, err := netip.ParseAddr(asked.Address)
	if err != nil {
		return answer{Error: err.Error()}
	}
	protocol, ok := map[string]replica.Protocol{"": 0, "TCP": replica.TCP, "UDP": replica.UDP, "SCTP": replica.SCTP}[asked.Protocol]
	if !ok {
		return answer{Error: fmt.Sprintf("%q is no protocol: TCP, UDP or SCTP", asked.Protocol)}
	}
	q := replica.Query{Address: address, Port: asked.Port, Protocol: protocol}
	if asked.AtMs != nil {
		q.At = time.UnixMilli(*asked.AtMs)
	}
	if asked.UntilMs != nil {
		q.Until = time.UnixMilli(*asked.UntilMs)
	}
	a, err := r.Resolve(q)
	if err != nil {
		return answer{Error: err.Error()}
	}
	made := answer{
		Outcome: a.Outcome.String(), Uncertain: a.Uncertain, Since: a.HistorySince().UnixMilli(),
		BehindMs: a.Behind().Milliseconds(),
	}
	if w, ok := a.Workload(); ok {
		made.Workload = w.UID
	}
	candidates := []holder{}
	for _, c := range a.Candidates() {
		candidates = append(candidates, written(c.Holder, c.ValidFrom(), c.ValidTo(), c.Uncertain))
	}
	if a.Outcome == replica.Resolved {
		made.Holders = []holder{written(a.Holder, a.ValidFrom(), a.ValidTo(), a.Uncertain)}
		made.Others = candidates
	} else {
		made.Holders = candidates
	}
	return made
}

func written(h replica.Holder, from, to time.Time, isUncertain bool) holder {
	made := holder{UID: h.UID(), Role: h.Role().String(), From: from.UnixMilli(), Uncertain: isUncertain}
	if !to.IsZero() {
		ms := to.UnixMilli()
		made.To = &ms
	}
	return made
}
