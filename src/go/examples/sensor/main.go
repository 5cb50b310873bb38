// Sensor reads packets as lines and prints who was behind them. It shows the shape of a sensor that knows the cluster by
// itself: it connects, waits for the first complete picture, and then answers each line from memory.
//
//	echo "now 10.244.1.2 8080" | go run ./examples/sensor -target 127.0.0.1:50051
//
// A line is TIME ADDRESS PORT[/PROTOCOL]. TIME is "now", seconds since the epoch (with a fraction, if any) or RFC 3339;
// PORT may be "-" for the address as a whole. What cannot be read is told on standard error, with its line number, and
// the next line is read; the exit code is then 1.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"digger.example/go/replica"
)

func main() {
	targets := flag.String("target", "127.0.0.1:50051", "servers of digger, with commas between them")
	patience := flag.Duration("wait", 30*time.Second, "how long to wait for the first complete picture")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	r, err := replica.Connect(ctx, replica.Options{Targets: strings.Split(*targets, ","), WithoutEntities: true})
	if err != nil {
		fatal(err)
	}
	defer r.Close()
	waiting, cancel := context.WithTimeout(ctx, *patience)
	defer cancel()
	if err := r.Ready(waiting); err != nil {
		fatal(err)
	}
	if !follow(os.Stdin, os.Stdout, os.Stderr, r.Resolve) {
		os.Exit(1)
	}
}

// follow answers every line and says whether all could be read.
func follow(in io.Reader, out, errors io.Writer, resolve func(replica.Query) (replica.Answer, error)) bool {
	lines := bufio.NewScanner(in)
	isGood := true
	for number := 1; lines.Scan(); number++ {
		query, err := parse(lines.Text())
		if err != nil {
			fmt.Fprintf(errors, "line %d: %v\n", number, err)
			isGood = false
			continue
		}
		answer, err := resolve(query)
		if err != nil {
			fmt.Fprintf(errors, "line %d: %v\n", number, err)
			isGood = false
			continue
		}
		fmt.Fprintln(out, query.Address, describe(&answer))
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintln(errors, err)
		return false
	}
	return isGood
}

func parse(line string) (replica.Query, error) {
	fields := strings.Fields(line)
	if len(fields) != 3 {
		return replica.Query{}, fmt.Errorf("%q has %d words, not TIME ADDRESS PORT[/PROTOCOL]", line, len(fields))
	}
	var q replica.Query
	var err error
	if seconds, isNumber := strconv.ParseFloat(fields[0], 64); isNumber == nil {
		q.At = time.UnixMilli(int64(seconds * 1000))
	} else if fields[0] != "now" {
		if q.At, err = time.Parse(time.RFC3339Nano, fields[0]); err != nil {
			return q, fmt.Errorf(`%q is no time: "now", seconds since the epoch or RFC 3339`, fields[0])
		}
	}
	if q.Address, err = netip.ParseAddr(fields[1]); err != nil {
		return q, err
	}
	port, protocol, hasProtocol := strings.Cut(fields[2], "/")
	if port != "-" {
		number, err := strconv.ParseUint(port, 10, 16)
		if err != nil || number == 0 {
			return q, fmt.Errorf("%q is no port: 1 to 65535, or -", port)
		}
		q.Port = uint16(number)
	}
	protocols := map[string]replica.Protocol{"tcp": replica.TCP, "udp": replica.UDP, "sctp": replica.SCTP}
	if hasProtocol {
		if q.Protocol = protocols[strings.ToLower(protocol)]; q.Protocol == replica.AnyProtocol {
			return q, fmt.Errorf("%q is no protocol: tcp, udp or sctp", protocol)
		}
	}
	return q, nil
}

// describe is the answer for people. An answer about which there is doubt says so; one that is not known is no answer.
func describe(a *replica.Answer) string {
	text := a.Outcome.String()
	if a.Outcome == replica.Resolved {
		text = fmt.Sprintf("%s %s/%s", a.Holder.Kind(), a.Holder.Namespace(), a.Holder.Name())
	}
	if w, ok := a.Workload(); ok {
		text += fmt.Sprintf(" of %s %s/%s", w.Kind, w.Namespace, w.Name)
	}
	if a.Uncertain {
		text += " (uncertain)"
	}
	return text
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, "sensor:", err)
	os.Exit(1)
}
