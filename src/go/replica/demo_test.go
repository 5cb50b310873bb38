//go:build checkout

package replica

// Compares with a server: the demo of this checkout, on which pods come and go. What the replica answers for a moment that
// has passed is what the server answers for it. Behind the same tag as checkout_test.go, because it needs Node.

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/timestamppb"

	"digger.example/go/diggerv1"
)

// startDemo starts the demo and returns where it listens.
func startDemo(t *testing.T) string {
	demo := exec.Command("node_modules/.bin/node", "src/main.ts", "demo",
		"--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--log-format", "json")
	demo.Dir = "../../.."
	demo.Stderr = os.Stderr
	out, err := demo.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		demo.Process.Signal(syscall.SIGTERM)
		demo.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var line struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
			go func() {
				for lines.Scan() {
				}
			}()
			return line.Address
		}
	}
	t.Fatal("the demo ended before it served")
	return ""
}

func TestTheDemoServerGivesTheSameAnswers(t *testing.T) {
	target := startDemo(t)
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Second)
	defer cancel()
	r, err := Connect(ctx, Options{Targets: []string{target}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	connection, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	lookups := diggerv1.NewLookupServiceClient(connection)
	// A server that does not answer for intervals refuses them, and is asked for moments only.
	probe := &diggerv1.ResolveAddressRequest{Address: "10.0.0.1", At: timestamppb.Now(), Until: timestamppb.Now()}
	_, err = lookups.ResolveAddress(ctx, probe)
	hasIntervals := err == nil
	random := rand.New(rand.NewPCG(7, 7))
	asked, outcomes := 0, map[string]int{}
	for range 20 {
		addresses := addressesOf(r)
		// What was learned meanwhile may rewrite the past of both, one after the other: on a quiet picture they are equal.
		var before *picture
		wrong := []string{}
		for try := 0; try < 20; try++ {
			before, wrong = r.current.Load(), wrong[:0]
			past := max(2_000, time.Since(r.Staleness().HistorySince).Milliseconds())
			queries, request := []Query{}, &diggerv1.BatchResolveAddressesRequest{View: diggerv1.View_VIEW_BASIC}
			for range 500 {
				q := Query{Address: addresses[random.IntN(len(addresses))], At: time.Now().Add(-time.Duration(1_000+random.Int64N(past)) * time.Millisecond).Truncate(time.Millisecond)}
				m := &diggerv1.AddressQuery{Address: q.Address.String(), At: timestamppb.New(q.At)}
				if random.IntN(2) == 0 {
					q.Port, q.Protocol = []uint16{80, 443, 53, 8080, 30080, 10250}[random.IntN(6)], Protocol(random.IntN(4))
					port := uint32(q.Port)
					m.Port, m.Protocol = &port, diggerv1.Protocol(q.Protocol)
				}
				if hasIntervals && random.IntN(10) == 0 {
					q.Until = q.At.Add(time.Duration(random.IntN(900)) * time.Millisecond)
					m.Until = timestamppb.New(q.Until)
				}
				queries, request.Queries = append(queries, q), append(request.Queries, m)
			}
			response, err := lookups.BatchResolveAddresses(ctx, request)
			if err != nil {
				t.Fatal(err)
			}
			for i, result := range response.GetResults() {
				a, err := r.Resolve(queries[i])
				if err != nil || result.GetError() != nil {
					t.Fatal(err, result.GetError())
				}
				got, wanted := shownAnswer(&a), shownResolution(result.GetResolution())
				if got != wanted {
					wrong = append(wrong, fmt.Sprintf("%+v\ngot    %s\nwanted %s", request.Queries[i], got, wanted))
				}
				outcomes[a.Outcome.String()]++
			}
			asked += len(queries)
			if len(wrong) == 0 || r.current.Load() == before {
				break
			}
		}
		for _, each := range wrong[:min(3, len(wrong))] {
			t.Error(each)
		}
		if len(wrong) > 0 {
			t.Fatalf("%d answers differ after %d", len(wrong), asked)
		}
		// The next round is about another picture.
		eventually(t, "a change", func() bool { return r.current.Load() != before })
	}
	t.Logf("%d questions, intervals: %v: %v", asked, hasIntervals, outcomes)
}

// addressesOf are those that the replica knows timelines of, and some that it does not.
func addressesOf(r *Replica) []netip.Addr {
	found := []netip.Addr{netip.MustParseAddr("8.8.8.8"), netip.MustParseAddr("10.244.250.250"), netip.MustParseAddr("127.0.0.1")}
	p := r.current.Load()
	p.timelines.all(func(t *timeline) bool {
		if t.place.kind == ofAddress {
			var bytes [16]byte
			for i := range 8 {
				bytes[i], bytes[8+i] = byte(t.place.hi>>(56-8*i)), byte(t.place.lo>>(56-8*i))
			}
			found = append(found, netip.AddrFrom16(bytes).Unmap())
		}
		return true
	})
	return found
}

func shownAnswer(a *Answer) string {
	v := written(a)
	text := fmt.Sprintf("%s %v workload %s", v.Outcome, v.Uncertain, v.Workload)
	for _, h := range append(v.Holders, v.Others...) {
		to := int64(-1)
		if h.To != nil {
			to = *h.To
		}
		text += fmt.Sprintf("; %s %s %d–%d %v", h.UID, h.Role, h.From, to, h.Uncertain)
	}
	return text
}

func shownResolution(m *diggerv1.Resolution) string {
	text := fmt.Sprintf("%s %v workload %s", Outcome(m.GetOutcome()), m.GetUncertain(), m.GetWorkload().GetUid())
	to := func(t *timestamppb.Timestamp) int64 {
		if t == nil {
			return -1
		}
		return t.AsTime().UnixMilli()
	}
	uid := func(pod *diggerv1.Pod, service *diggerv1.Service, node *diggerv1.Node, endpoint *diggerv1.ExternalEndpoint) string {
		return pod.GetUid() + service.GetUid() + node.GetUid() + endpoint.GetService().GetUid()
	}
	if m.GetOutcome() == diggerv1.Outcome_OUTCOME_RESOLVED {
		text += fmt.Sprintf("; %s %s %d–%d %v", uid(m.GetPod(), m.GetService(), m.GetNode(), m.GetExternalEndpoint()),
			Role(m.GetRole()), to(m.GetValidFrom()), to(m.GetValidTo()), m.GetUncertain())
	}
	for _, c := range m.GetCandidates() {
		text += fmt.Sprintf("; %s %s %d–%d %v", uid(c.GetPod(), c.GetService(), c.GetNode(), c.GetExternalEndpoint()),
			Role(c.GetRole()), to(c.GetValidFrom()), to(c.GetValidTo()), c.GetUncertain())
	}
	return text
}
