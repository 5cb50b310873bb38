package replica

// What a question and an address cost: allocations are asserted, times and bytes measured by benchmarks.

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"digger.example/go/diggerv1"
)

const manyPods = 100_000

func addressOf(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
}

// podChange is a pod of an ordinary cluster: 50 pods a workload, names and uids of the usual length.
func podChange(i int) *diggerv1.Change {
	c := podAt(addressOf(i).String(), fmt.Sprintf("checkout-%d-7d9f8b6c5d-x%05d", i/50, i), start.Add(-time.Hour))
	h := c.GetTimeline().GetHolders()[0]
	h.Uid = fmt.Sprintf("7f0d2a5c-3b1e-4c59-9d4e-%012d", i)
	h.Namespace = fmt.Sprintf("team-%d", i/500)
	h.Workload.Namespace, h.Workload.Name, h.Workload.Uid = h.Namespace, fmt.Sprintf("checkout-%d", i/50), fmt.Sprintf("workload-%d", i/50)
	return c
}

func entityOf(i int) *diggerv1.Change {
	h := podChange(i).GetTimeline().GetHolders()[0]
	return upsert(&diggerv1.Entity{Entity: &diggerv1.Entity_Pod{Pod: &diggerv1.Pod{
		Uid: h.Uid, Namespace: h.Namespace, Name: h.Name, Addresses: []string{addressOf(i).String()},
		NodeName: fmt.Sprintf("node-%d", i/100), HostAddresses: []string{"192.168.0.1"}, Phase: diggerv1.PodPhase_POD_PHASE_RUNNING,
		Workload: h.Workload, OwnerChain: []*diggerv1.ObjectReference{
			{ApiVersion: "apps/v1", Kind: "ReplicaSet", Namespace: h.Namespace, Name: fmt.Sprintf("checkout-%d-7d9f8b6c5d", i/50), Uid: fmt.Sprintf("7f0d2a5c-3b1e-4c59-0000-%012d", i/50)}, h.Workload,
		},
	}}})
}

func bigPicture(withoutEntities bool) *picture {
	b := newBuilder(1, Limits{1 << 30, 1 << 30, 1 << 40}, withoutEntities)
	b.apply(factsChange(), ms(start))
	b.apply(rangeChange("10.0.0.0/8"), ms(start))
	for i := range manyPods {
		if !withoutEntities {
			b.apply(entityOf(i), ms(start))
		}
		b.apply(podChange(i), ms(start))
	}
	return b.publish()
}

func replicaOf(p *picture) *Replica {
	r := &Replica{options: Options{Silence: 10 * time.Second}, now: time.Now}
	r.current.Store(p)
	r.heard.Store(time.Now().UnixMilli() + 3_600_000)
	return r
}

func TestAHitAllocatesNothing(t *testing.T) {
	b := newBuilder(1, Limits{1 << 30, 1 << 30, 1 << 40}, false)
	b.apply(factsChange(), ms(start))
	for i := range 1_000 {
		b.apply(podChange(i), ms(start))
	}
	node := podAt("192.168.0.1", "n1", start.Add(-time.Hour))
	node.GetTimeline().Holders[0].Kind = diggerv1.EntityKind_ENTITY_KIND_NODE
	node.GetTimeline().Nodes = []*diggerv1.NodeSpan{{FromMs: 0, Names: []string{"n1"}}}
	b.apply(node, ms(start))
	hostPort := podAt("", "web-1", start.Add(-time.Hour))
	hostPort.GetTimeline().Place = &diggerv1.TimelinePlace{Node: "n1", Port: 80, Protocol: diggerv1.Protocol_PROTOCOL_TCP}
	b.apply(hostPort, ms(start))
	r := replicaOf(b.publish())
	r.now = func() time.Time { return start }
	for name, q := range map[string]Query{
		"now":            {Address: addressOf(7)},
		"a moment":       {Address: addressOf(7), At: start.Add(-time.Second)},
		"a port":         {Address: addressOf(7), Port: 443, Protocol: TCP},
		"a node":         {Address: netip.MustParseAddr("192.168.0.1")},
		"a port of one":  {Address: netip.MustParseAddr("192.168.0.1"), Port: 80, Protocol: TCP},
		"any protocol":   {Address: netip.MustParseAddr("192.168.0.1"), Port: 80},
		"of no object":   {Address: netip.MustParseAddr("203.0.113.1")},
		"IPv4 in IPv6":   {Address: netip.AddrFrom16(addressOf(7).As16())},
		"of no cluster":  {Address: netip.MustParseAddr("127.0.0.1")},
		"before history": {Address: addressOf(7), At: start.Add(-time.Hour)},
	} {
		names := 0
		allocated := testing.AllocsPerRun(100, func() {
			a, err := r.Resolve(q)
			if err != nil {
				t.Fatal(err)
			}
			if a.Outcome == Resolved {
				w, _ := a.Workload()
				names += len(a.Holder.Name()) + len(a.Holder.Namespace()) + len(a.Holder.UID()) + len(w.Name)
			}
		})
		if allocated != 0 {
			t.Errorf("%s: %v allocations", name, allocated)
		}
	}
	flow := Flow{
		Source: netip.AddrPortFrom(addressOf(1), 0), Destination: netip.AddrPortFrom(addressOf(2), 443), Protocol: TCP, Start: start,
	}
	if allocated := testing.AllocsPerRun(100, func() { r.ResolveFlow(flow) }); allocated != 0 {
		t.Errorf("a flow: %v allocations", allocated)
	}
}

func TestAnAddressTakesAtMost250Bytes(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	p := bigPicture(true)
	each := float64(heap()-before) / manyPods
	estimated := float64(p.usage.bytes) / manyPods
	t.Logf("%.0f bytes of heap an address, %.0f as estimated", each, estimated)
	if each > 250 || estimated < each*0.8 || estimated > each*1.2 {
		t.Errorf("%.0f bytes of heap an address, %.0f as estimated", each, estimated)
	}
	withEntities := bigPicture(false)
	all := float64(heap()-before)/manyPods - each
	t.Logf("%.0f bytes with their pods, %.0f as estimated", all, float64(withEntities.usage.bytes)/manyPods)
	runtime.KeepAlive(p)
	runtime.KeepAlive(withEntities)
}

// BenchmarkResolve asks for addresses of 100,000 pods in no order.
func BenchmarkResolve(b *testing.B) {
	r := replicaOf(bigPicture(true))
	moment := time.Now().Add(-time.Second)
	queries := make([]Query, 1<<16)
	random := rand.New(rand.NewPCG(1, 2))
	for _, kind := range []string{"now", "moment", "port"} {
		for i := range queries {
			queries[i] = Query{Address: addressOf(random.IntN(manyPods))}
			if kind != "now" {
				queries[i].At = moment
			}
			if kind == "port" {
				queries[i].Port, queries[i].Protocol = 443, TCP
			}
		}
		b.Run(kind, func(b *testing.B) {
			b.ReportAllocs()
			defer reportCPU(b)()
			resolved := 0
			for i := 0; b.Loop(); i++ {
				a, _ := r.Resolve(queries[i&(len(queries)-1)])
				if a.Outcome == Resolved {
					resolved++
				}
			}
			if resolved != b.N {
				b.Fatalf("%d of %d resolved", resolved, b.N)
			}
		})
	}
}

// reportCPU adds the time on a processor to the figures, which another load on the machine changes less than the time
// that passes. To be deferred, around the loop.
func reportCPU(b *testing.B) func() {
	before := cpuTime()
	return func() { b.ReportMetric(float64(cpuTime()-before)/float64(b.N), "cpu-ns/op") }
}

func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkClock is what the two clocks of a question cost: a part of the figures above that is the machine's.
func BenchmarkClock(b *testing.B) {
	defer reportCPU(b)()
	for b.Loop() {
		time.Now().UnixMilli()
	}
}

// BenchmarkSnapshot takes in a snapshot of 100,000 pods, from bytes to the picture.
func BenchmarkSnapshot(b *testing.B) {
	var frames [][]byte
	for i := 0; i < manyPods; i += 500 {
		changes := &diggerv1.Changes{}
		for n := i; n < i+500; n++ {
			changes.Changes = append(changes.Changes, entityOf(n), podChange(n))
		}
		bytes, err := proto.Marshal(&diggerv1.WatchResponse{Frame: &diggerv1.WatchResponse_Changes{Changes: changes}})
		if err != nil {
			b.Fatal(err)
		}
		frames = append(frames, bytes)
	}
	for _, withoutEntities := range []bool{false, true} {
		b.Run(map[bool]string{false: "whole", true: "without entities"}[withoutEntities], func(b *testing.B) {
			defer reportCPU(b)()
			for b.Loop() {
				builder := newBuilder(1, Limits{1 << 30, 1 << 30, 1 << 40}, withoutEntities)
				builder.apply(factsChange(), ms(start))
				for _, bytes := range frames {
					var frame diggerv1.WatchResponse
					if err := proto.Unmarshal(bytes, &frame); err != nil {
						b.Fatal(err)
					}
					for _, c := range frame.GetChanges().GetChanges() {
						builder.apply(c, ms(start))
					}
				}
				builder.publish()
			}
		})
	}
}

// BenchmarkChange applies and publishes frames of 40 changes to a picture of 100,000 pods.
func BenchmarkChange(b *testing.B) {
	builder := newBuilder(1, Limits{1 << 30, 1 << 30, 1 << 40}, false)
	builder.picture = *bigPicture(false)
	builder.edition = 10
	changes := make([]*diggerv1.Change, 40_000)
	for i := range changes {
		changes[i] = podChange(i * 7919 % manyPods)
	}
	b.ReportAllocs()
	defer reportCPU(b)()
	for i := 0; b.Loop(); i++ {
		for n := range 40 {
			builder.apply(changes[(i*40+n)%len(changes)], ms(start))
		}
		builder.publish()
	}
}
