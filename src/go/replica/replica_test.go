package replica

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"digger.example/go/diggerv1"
)

var start = time.UnixMilli(1_790_000_000_000)

func ms(t time.Time) int64 { return t.UnixMilli() }

func factsChange(change ...func(*diggerv1.AddressFacts)) *diggerv1.Change {
	f := &diggerv1.AddressFacts{
		BeganMs: ms(start) - 3_600_000, HistoryMs: 600_000, ReportDelayMs: 2_000, RangesCompleteIpv4: true,
	}
	for _, each := range change {
		each(f)
	}
	return &diggerv1.Change{Change: &diggerv1.Change_Facts{Facts: f}}
}

func rangeChange(text string) *diggerv1.Change {
	return timelineChange(&diggerv1.AddressTimeline{Place: &diggerv1.TimelinePlace{Range: text}, Known: true})
}

func timelineChange(t *diggerv1.AddressTimeline) *diggerv1.Change {
	return &diggerv1.Change{Change: &diggerv1.Change_Timeline{Timeline: t}}
}

// podAt says that the pod has the address since then.
func podAt(address, pod string, since time.Time) *diggerv1.Change {
	return timelineChange(&diggerv1.AddressTimeline{
		Place: &diggerv1.TimelinePlace{Address: address}, InCluster: true,
		Holders: []*diggerv1.TimelineHolder{{
			Kind: diggerv1.EntityKind_ENTITY_KIND_POD, Namespace: "shop", Name: pod, Uid: "uid-" + pod,
			Role: diggerv1.AddressRole_ADDRESS_ROLE_POD_IP, ValidFromMs: ms(since),
			Workload: &diggerv1.ObjectReference{ApiVersion: "apps/v1", Kind: "Deployment", Namespace: "shop", Name: "web", Uid: "uid-web"},
		}},
		Spans: []*diggerv1.TimelineSpan{{FromMs: ms(since), Holders: []uint32{0}}},
	})
}

func forgetAddress(address string) *diggerv1.Change {
	return timelineChange(&diggerv1.AddressTimeline{Place: &diggerv1.TimelinePlace{Address: address}})
}

func podEntity(name, node string) *diggerv1.Entity {
	return &diggerv1.Entity{Entity: &diggerv1.Entity_Pod{Pod: &diggerv1.Pod{
		Namespace: "shop", Name: name, Uid: "uid-" + name, NodeName: node, Labels: map[string]string{"app": "web", "tier": "front"},
	}}}
}

func upsert(e *diggerv1.Entity) *diggerv1.Change {
	return &diggerv1.Change{Change: &diggerv1.Change_Upsert{Upsert: e}}
}

func former(e *diggerv1.Entity) *diggerv1.Change {
	return &diggerv1.Change{Change: &diggerv1.Change_Former{Former: e}}
}

func removal(name, uid string) *diggerv1.Change {
	return &diggerv1.Change{Change: &diggerv1.Change_Removal{Removal: &diggerv1.Removal{
		Kind: diggerv1.EntityKind_ENTITY_KIND_POD, Namespace: "shop", Name: name, Uid: uid,
	}}}
}

type story struct {
	t      *testing.T
	server *feedServer
	clock  *clockFake
	*Replica
	mutex  sync.Mutex
	events []string
}

// follow starts a replica of the servers.
func follow(t *testing.T, server *feedServer, change func(*Options), targets ...string) *story {
	s := &story{t: t, server: server, clock: &clockFake{time: start}}
	o := server.options(targets...)
	o.OnEvent = func(event Event) {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		s.events = append(s.events, strings.TrimPrefix(fmt.Sprintf("%T", event), "replica."))
	}
	if change != nil {
		change(&o)
	}
	r, err := connect(context.Background(), o, s.clock.now, func() float64 { return 0 })
	if err != nil {
		t.Fatal(err)
	}
	s.Replica = r
	t.Cleanup(r.Close)
	return s
}

// who is the answer in short: the name, `?` behind it when it is uncertain, or the outcome.
func (s *story) who(address string, ago ...time.Duration) string {
	q := Query{Address: netip.MustParseAddr(address)}
	if len(ago) > 0 {
		q.At = s.clock.now().Add(-ago[0])
	}
	a, err := s.Resolve(q)
	switch {
	case err != nil:
		return err.Error()
	case a.Outcome != Resolved:
		return a.Outcome.String()
	case a.Uncertain:
		return a.Holder.Name() + "?"
	}
	return a.Holder.Name()
}

func (s *story) becomes(address, wanted string) {
	s.t.Helper()
	eventually(s.t, address+" is "+wanted, func() bool { return s.who(address) == wanted })
}

func (s *story) is(address, wanted string, ago ...time.Duration) {
	s.t.Helper()
	if got := s.who(address, ago...); got != wanted {
		s.t.Fatalf("%s is %s, not %s", address, got, wanted)
	}
}

// first leads the stream through a snapshot with one pod.
func (s *story) first(stream *feedStream, token string) {
	stream.reset(diggerv1.ResetReason_RESET_REASON_NO_TOKEN)
	stream.changes("", factsChange(), rangeChange("10.0.0.0/8"), upsert(podEntity("a", "n1")), podAt("10.0.0.1", "a", start.Add(-time.Minute)))
	stream.synced(token)
}

func ready(t *testing.T, r *Replica) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := r.Ready(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestNothingIsAnsweredBeforeTheFirstPictureIsComplete(t *testing.T) {
	server := newFeedServer(t, "one")
	s := follow(t, server, nil, "one")
	stream := server.next()
	if !stream.request.GetTimelines() || len(stream.request.GetResumeToken()) != 0 {
		t.Fatalf("asked for %v", stream.request)
	}
	stream.reset(diggerv1.ResetReason_RESET_REASON_NO_TOKEN)
	stream.changes("", factsChange(), podAt("10.0.0.1", "a", start))
	if _, err := s.Resolve(Query{Address: netip.MustParseAddr("10.0.0.1")}); !errors.Is(err, ErrNotReady) {
		t.Fatalf("%v", err)
	}
	if _, err := s.Pod("shop", "a"); !errors.Is(err, ErrNotReady) {
		t.Fatalf("%v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := s.Ready(ctx); !errors.Is(err, ErrNotReady) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%v", err)
	}
	stream.synced("t1")
	ready(t, s.Replica)
	s.is("10.0.0.1", "a")
	s.Close()
	if _, err := s.Resolve(Query{Address: netip.MustParseAddr("10.0.0.1")}); !errors.Is(err, ErrClosed) {
		t.Fatalf("%v", err)
	}
	if err := s.Ready(context.Background()); !errors.Is(err, ErrClosed) {
		t.Fatalf("%v", err)
	}
}

func TestChangesAreAnsweredWithAtOnce(t *testing.T) {
	server := newFeedServer(t, "one")
	s := follow(t, server, nil, "one")
	stream := server.next()
	s.first(stream, "t1")
	ready(t, s.Replica)
	s.is("10.0.0.1", "a")
	s.is("10.0.0.2", "UNASSIGNED")
	stream.changes("t2", podAt("10.0.0.2", "b", start), forgetAddress("10.0.0.1"))
	s.becomes("10.0.0.2", "b")
	s.is("10.0.0.1", "UNASSIGNED")
	s.is("203.0.113.1", "EXTERNAL")
}

func TestAfterACutAnotherServerContinuesWithTheToken(t *testing.T) {
	server := newFeedServer(t, "one", "two")
	s := follow(t, server, nil, "one", "two")
	stream := server.next()
	s.first(stream, "t1")
	ready(t, s.Replica)
	stream.changes("t2", podAt("10.0.0.2", "b", start))
	s.becomes("10.0.0.2", "b")
	stream.fail(status.Error(codes.Unavailable, "gone"))
	second := server.next()
	if second.server == stream.server || string(second.request.GetResumeToken()) != "t2" {
		t.Fatalf("continued at %s with %q", second.server, second.request.GetResumeToken())
	}
	// Until it has caught up the old picture answers.
	second.changes("t3", podAt("10.0.0.1", "c", start), podAt("10.0.0.2", "d", start))
	second.changes("t4", podAt("10.0.0.3", "e", start))
	s.is("10.0.0.1", "a")
	s.is("10.0.0.3", "UNASSIGNED")
	second.synced("t4")
	s.becomes("10.0.0.3", "e")
	s.is("10.0.0.1", "c")
	s.is("10.0.0.2", "d")
	// What came before the cut of a catch-up need not come again.
	second.fail(nil)
	third := server.next()
	if third.server != stream.server || string(third.request.GetResumeToken()) != "t4" {
		t.Fatalf("continued at %s with %q", third.server, third.request.GetResumeToken())
	}
	third.changes("t5", podAt("10.0.0.4", "f", start))
	third.fail(status.Error(codes.Unavailable, "gone"))
	if fourth := server.next(); string(fourth.request.GetResumeToken()) != "t5" {
		t.Fatalf("continued with %q", fourth.request.GetResumeToken())
	}
	s.is("10.0.0.4", "UNASSIGNED")
}

func TestAResetBuildsASecondPictureAndTheOldOneAnswersUntilItIsWhole(t *testing.T) {
	server := newFeedServer(t, "one", "two")
	s := follow(t, server, nil, "one", "two")
	stream := server.next()
	s.first(stream, "t1")
	ready(t, s.Replica)
	stream.reset(diggerv1.ResetReason_RESET_REASON_TOO_SLOW)
	stream.changes("", factsChange(), rangeChange("10.0.0.0/8"), podAt("10.0.0.2", "b", start))
	s.is("10.0.0.1", "a")
	s.is("10.0.0.2", "UNASSIGNED")
	// Cut in the middle: half of a picture is dropped, and the token of the old one tried again.
	stream.fail(status.Error(codes.Unavailable, "gone"))
	second := server.next()
	if string(second.request.GetResumeToken()) != "t1" {
		t.Fatalf("continued with %q", second.request.GetResumeToken())
	}
	s.is("10.0.0.1", "a")
	second.reset(diggerv1.ResetReason_RESET_REASON_OTHER_EPOCH)
	second.changes("", factsChange(), podAt("10.0.0.3", "c", start))
	s.is("10.0.0.1", "a")
	s.is("10.0.0.3", "UNASSIGNED")
	second.synced("u1")
	s.becomes("10.0.0.3", "c")
	// Of the old pictures nothing is left, not even their ranges.
	s.is("10.0.0.1", "EXTERNAL")
	s.is("10.0.0.2", "EXTERNAL")
	if _, err := s.Pod("shop", "a"); !errors.Is(err, ErrNotFound) {
		t.Fatalf("%v", err)
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	wanted := "ResetEvent ChangeEvent SyncedEvent ResetEvent ChangeEvent FailoverEvent ResetEvent ChangeEvent SyncedEvent"
	if got := strings.Join(s.events, " "); got != wanted {
		t.Fatalf("events: %s", got)
	}
}

func TestCutOffFromEveryServerAnswersAreDoubtedFromTheLastWordOn(t *testing.T) {
	server := newFeedServer(t, "one")
	s := follow(t, server, nil, "one")
	stream := server.next()
	s.first(stream, "t1")
	ready(t, s.Replica)
	stream.progress("t2", time.Time{}, false)
	eventually(t, "connected", func() bool { return s.Staleness().Connected })
	stream.fail(status.Error(codes.Unavailable, "gone"))
	server.next()
	s.clock.move(10 * time.Second)
	s.is("10.0.0.1", "a")
	s.is("10.0.0.2", "UNASSIGNED")
	s.clock.move(time.Millisecond)
	s.is("10.0.0.1", "a?")
	s.is("10.0.0.2", "UNKNOWN")
	s.is("10.0.0.1", "a", 10*time.Second+2*time.Millisecond)
	state := s.Staleness()
	if state.Connected || state.Age != 10*time.Second+time.Millisecond || !state.BlindSince.Equal(start) || state.Err == nil {
		t.Fatalf("%+v", state)
	}
	a, _ := s.Resolve(Query{Address: netip.MustParseAddr("10.0.0.1")})
	if a.Behind() != state.Age {
		t.Fatalf("behind %v", a.Behind())
	}
}

func TestWhatTheServerSaysOfItsWatchesIsTold(t *testing.T) {
	server := newFeedServer(t, "one")
	s := follow(t, server, nil, "one")
	stream := server.next()
	s.first(stream, "t1")
	ready(t, s.Replica)
	stream.changes("t2", factsChange(func(f *diggerv1.AddressFacts) { f.BlindSinceMs = proto.Int64(ms(start) - 5_000) }))
	s.becomes("10.0.0.1", "a?")
	if state := s.Staleness(); !state.Connected || !state.BlindSince.Equal(start.Add(-5*time.Second)) {
		t.Fatalf("%+v", state)
	}
}

func TestAServerThatIsAboutToCloseIsLeftAtOnce(t *testing.T) {
	server := newFeedServer(t, "one", "two")
	s := follow(t, server, nil, "one", "two")
	stream := server.next()
	s.first(stream, "t1")
	ready(t, s.Replica)
	stream.progress("t9", time.Time{}, true)
	if second := server.next(); second.server == stream.server || string(second.request.GetResumeToken()) != "t9" {
		t.Fatalf("continued at %s with %q", second.server, second.request.GetResumeToken())
	}
}

func TestATokenThatAServerDoesNotUnderstandIsDroppedAndThePictureKept(t *testing.T) {
	server := newFeedServer(t, "one")
	s := follow(t, server, nil, "one")
	stream := server.next()
	s.first(stream, "t1")
	ready(t, s.Replica)
	stream.fail(status.Error(codes.Unavailable, "gone"))
	server.next().fail(status.Error(codes.InvalidArgument, "resume_token is malformed"))
	third := server.next()
	if len(third.request.GetResumeToken()) != 0 {
		t.Fatalf("asked again with %q", third.request.GetResumeToken())
	}
	s.is("10.0.0.1", "a")
	third.fail(status.Error(codes.Unavailable, "gone"))
	if fourth := server.next(); len(fourth.request.GetResumeToken()) != 0 {
		t.Fatalf("asked again with %q", fourth.request.GetResumeToken())
	}
}

func TestWhatNoServerAcceptsIsToldByReady(t *testing.T) {
	server := newFeedServer(t, "one")
	s := follow(t, server, nil, "one")
	server.next().fail(status.Error(codes.InvalidArgument, "filter.namespaces: more than 1,000"))
	err := s.Ready(context.Background())
	if status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), "filter.namespaces") {
		t.Fatalf("%v", err)
	}
}

func TestAServerThatSendsNoTimelinesIsNotTakenForAnEmptyCluster(t *testing.T) {
	server := newFeedServer(t, "old", "new")
	s := follow(t, server, nil, "old", "new")
	stream := server.next()
	stream.reset(diggerv1.ResetReason_RESET_REASON_NO_TOKEN)
	stream.changes("", upsert(podEntity("a", "n1")))
	stream.synced("t1")
	second := server.next()
	if second.server == stream.server || len(second.request.GetResumeToken()) != 0 {
		t.Fatalf("continued at %s with %q", second.server, second.request.GetResumeToken())
	}
	if err := s.Staleness().Err; !errors.Is(err, errNoTimelines) {
		t.Fatalf("%v", err)
	}
	s.first(second, "t2")
	ready(t, s.Replica)
}

func TestASilentServerIsLeft(t *testing.T) {
	server := newFeedServer(t, "one", "two")
	s := follow(t, server, func(o *Options) { o.Silence = 1500 * time.Millisecond }, "one", "two")
	stream := server.next()
	if asked := stream.request.GetHeartbeatInterval().AsDuration(); asked != time.Second {
		t.Fatalf("asked for a heartbeat of %v", asked)
	}
	s.first(stream, "t1")
	ready(t, s.Replica)
	if second := server.next(); second.server == stream.server || string(second.request.GetResumeToken()) != "t1" {
		t.Fatalf("continued at %s with %q", second.server, second.request.GetResumeToken())
	}
}

func TestNowIsThatOfTheServer(t *testing.T) {
	server := newFeedServer(t, "one")
	s := follow(t, server, nil, "one")
	stream := server.next()
	s.first(stream, "t1")
	ready(t, s.Replica)
	// The server's clock is five seconds ahead, and so is what it tells.
	stream.changes("t2", podAt("10.0.0.2", "b", start.Add(4*time.Second)))
	eventually(t, "the change", func() bool { return s.Staleness().Places == 2 })
	s.is("10.0.0.2", "UNASSIGNED")
	stream.progress("t3", start.Add(5*time.Second), false)
	s.becomes("10.0.0.2", "b")
	if offset := s.Staleness().ClockOffset; offset != 5*time.Second {
		t.Fatalf("%v", offset)
	}
}

func TestWhatWasLongOnItsWayIsOldAndDoesNotSetTheClock(t *testing.T) {
	server := newFeedServer(t, "one")
	s := follow(t, server, nil, "one")
	stream := server.next()
	s.first(stream, "t1")
	ready(t, s.Replica)
	stream.progress("t2", s.clock.now(), false)
	s.is("10.0.0.1", "a")
	stream.progress("t3", s.clock.now().Add(-20*time.Second), false)
	s.becomes("10.0.0.1", "a?")
	s.is("10.0.0.1", "a", 30*time.Second)
	if staleness := s.Staleness(); staleness.Age != 20*time.Second || staleness.ClockOffset != 0 {
		t.Fatalf("%+v", staleness)
	}
	stream.progress("t4", s.clock.now(), false)
	s.becomes("10.0.0.1", "a")
}

func TestObjectsAreFoundByNameAndByUidAlsoWhenTheyAreGone(t *testing.T) {
	server := newFeedServer(t, "one")
	s := follow(t, server, nil, "one")
	stream := server.next()
	s.first(stream, "t1")
	ready(t, s.Replica)
	pod, err := s.Pod("shop", "a")
	if err != nil || pod.GetNodeName() != "n1" || pod.GetLabels()["tier"] != "front" || !proto.Equal(pod, podEntity("a", "n1").GetPod()) {
		t.Fatalf("%v %v", pod, err)
	}
	// One that was made again under its name: the old one's removal may come late.
	again := podEntity("a", "n2")
	again.GetPod().Uid = "uid-a2"
	stream.changes("t2", former(podEntity("a", "n1")), upsert(again), removal("a", "uid-a"))
	eventually(t, "the new one", func() bool { p, _ := s.Pod("shop", "a"); return p.GetNodeName() == "n2" })
	old, isFormer, err := s.ByUID("uid-a")
	if err != nil || !isFormer || old.GetPod().GetNodeName() != "n1" {
		t.Fatalf("%v %v %v", old, isFormer, err)
	}
	if _, isFormer, err := s.ByUID("uid-a2"); isFormer || err != nil {
		t.Fatalf("%v %v", isFormer, err)
	}
	stream.changes("t3", removal("a", "uid-a2"), &diggerv1.Change{Change: &diggerv1.Change_Forgotten{Forgotten: &diggerv1.Forgotten{Uid: "uid-a"}}})
	eventually(t, "both gone", func() bool { _, _, err := s.ByUID("uid-a"); return errors.Is(err, ErrNotFound) })
	if _, err := s.Pod("shop", "a"); !errors.Is(err, ErrNotFound) {
		t.Fatalf("%v", err)
	}
	if state := s.Staleness(); state.Entities != 0 {
		t.Fatalf("%+v", state)
	}
}

func TestWhatDoesNotFitIsLeftOutAndTold(t *testing.T) {
	server := newFeedServer(t, "one")
	s := follow(t, server, func(o *Options) { o.Limits = Limits{Entities: 5, Spans: 5} }, "one")
	stream := server.next()
	stream.reset(diggerv1.ResetReason_RESET_REASON_NO_TOKEN)
	stream.changes("", factsChange(), rangeChange("10.0.0.0/8"))
	for i := range 6 {
		name := fmt.Sprintf("p%d", i)
		stream.changes("", upsert(podEntity(name, "n1")), podAt(fmt.Sprintf("10.0.0.%d", i), name, start.Add(-time.Minute)))
	}
	stream.synced("t1")
	ready(t, s.Replica)
	s.is("10.0.0.4", "p4")
	// Not UNASSIGNED: it may be the one that was left out.
	s.is("10.0.0.5", "UNKNOWN")
	s.is("10.0.0.99", "UNKNOWN")
	a, _ := s.Resolve(Query{Address: netip.MustParseAddr("10.0.0.5")})
	state := s.Staleness()
	if !a.LeftOut || state.LeftOutPlaces != 1 || state.LeftOutEntities != 1 || state.Spans != 5 || state.Entities != 5 {
		t.Fatalf("%v %+v", a.LeftOut, state)
	}
	if _, err := s.Pod("shop", "p5"); !errors.Is(err, ErrLeftOut) {
		t.Fatalf("%v", err)
	}
	// A place that is here and grows too big must not answer with its old state.
	grown := podAt("10.0.0.4", "p4", start.Add(-time.Minute))
	grown.GetTimeline().Spans = []*diggerv1.TimelineSpan{
		{FromMs: ms(start) - 60_000, ToMs: proto.Int64(ms(start) - 50_000), Holders: []uint32{0}},
		{FromMs: ms(start) - 40_000, Holders: []uint32{0}},
	}
	stream.changes("t2", grown)
	s.becomes("10.0.0.4", "UNKNOWN")
	// There is room again: on a quiet moment everything is asked for anew.
	stream.changes("t3", forgetAddress("10.0.0.0"), forgetAddress("10.0.0.1"), removal("p0", ""), removal("p1", ""))
	s.clock.move(2 * time.Minute)
	stream.progress("t4", time.Time{}, false)
	second := server.next()
	if len(second.request.GetResumeToken()) != 0 {
		t.Fatalf("asked with %q", second.request.GetResumeToken())
	}
	s.first(second, "u1")
	s.becomes("10.0.0.5", "UNASSIGNED")
}

func TestATimelineThatCannotBeUnderstoodIsLeftOutAndTold(t *testing.T) {
	server := newFeedServer(t, "one")
	s := follow(t, server, nil, "one")
	stream := server.next()
	s.first(stream, "t1")
	ready(t, s.Replica)
	bad := podAt("10.0.0.1", "b", start)
	bad.GetTimeline().Spans[0].Holders = []uint32{7}
	strange := timelineChange(&diggerv1.AddressTimeline{Place: &diggerv1.TimelinePlace{Node: "n", Address: "10.0.0.1"}, InCluster: true})
	nonsense := podAt("10.0.0", "c", start)
	stream.changes("t2", bad, strange, nonsense, rangeChange("10.0.0.0/99"))
	s.becomes("10.0.0.1", "UNKNOWN")
	if state := s.Staleness(); state.Unreadable != 4 {
		t.Fatalf("%+v", state)
	}
}

func TestOldSpansAreDropped(t *testing.T) {
	b := newBuilder(1, Limits{10, 10, 1 << 20}, false)
	b.apply(factsChange(), ms(start))
	c := podAt("10.0.0.1", "a", start)
	old := ms(start) - 600_000 - trimMargin
	c.GetTimeline().Spans = append([]*diggerv1.TimelineSpan{
		{FromMs: old - 10, ToMs: proto.Int64(old), Holders: []uint32{0}},
		{FromMs: old, ToMs: proto.Int64(old + 1), Holders: []uint32{0}},
	}, c.GetTimeline().Spans...)
	b.apply(c, ms(start))
	if b.usage.spans != 2 {
		t.Fatalf("%d spans", b.usage.spans)
	}
}

func TestAFlowIsAnsweredAtBothEnds(t *testing.T) {
	server := newFeedServer(t, "one")
	s := follow(t, server, nil, "one")
	stream := server.next()
	s.first(stream, "t1")
	ready(t, s.Replica)
	f := Flow{
		Source: netip.MustParseAddrPort("10.0.0.1:0"), Destination: netip.MustParseAddrPort("203.0.113.9:443"), Protocol: TCP,
		Start: start.Add(-2 * time.Second), End: start.Add(-time.Second),
	}
	a, err := s.ResolveFlow(f)
	if err != nil || a.Source.Holder.Name() != "a" || a.Destination.Outcome != External {
		t.Fatalf("%+v %v", a, err)
	}
	if w, ok := a.Source.Workload(); !ok || w.Name != "web" || w.Kind != "Deployment" || a.Source.Holder.Namespace() != "shop" {
		t.Fatalf("%+v %v", w, ok)
	}
	f.End = start.Add(-time.Hour)
	if _, err := s.ResolveFlow(f); !errors.Is(err, ErrInterval) {
		t.Fatalf("%v", err)
	}
}

func TestQuestionsThatMakeNoSenseAreErrors(t *testing.T) {
	server := newFeedServer(t, "one")
	s := follow(t, server, nil, "one")
	s.first(server.next(), "t1")
	ready(t, s.Replica)
	good := netip.MustParseAddr("10.0.0.1")
	for wanted, q := range map[error]Query{
		ErrAddress:  {},
		ErrProtocol: {Address: good, Protocol: 9},
		ErrInterval: {Address: good, Until: start},
	} {
		if _, err := s.Resolve(q); !errors.Is(err, wanted) {
			t.Errorf("%+v: %v", q, err)
		}
	}
	if _, err := s.Resolve(Query{Address: netip.MustParseAddr("fe80::1%eth0")}); !errors.Is(err, ErrAddress) {
		t.Errorf("%v", err)
	}
	for _, o := range []Options{{}, {Targets: []string{""}}, {Targets: []string{"x"}, Silence: time.Minute}, {Targets: []string{"x"}, Limits: Limits{Spans: -1}}} {
		if _, err := Connect(context.Background(), o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}

func TestQuestionsAreAnsweredWhileThePictureChanges(t *testing.T) {
	server := newFeedServer(t, "one")
	s := follow(t, server, nil, "one")
	stream := server.next()
	s.first(stream, "t1")
	ready(t, s.Replica)
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				// The frame that gives one of them its pod takes the other one's: never none, never both.
				p := s.current.Load()
				var first, second Answer
				p.resolve(&Query{Address: netip.MustParseAddr("10.0.1.1")}, ms(start), never, &first)
				p.resolve(&Query{Address: netip.MustParseAddr("10.0.1.2")}, ms(start), never, &second)
				if p.usage.places > 1 && (first.Outcome == Resolved) == (second.Outcome == Resolved) {
					t.Errorf("%v and %v", first.Outcome, second.Outcome)
					return
				}
				s.Pod("shop", "a")
				s.Staleness()
			}
		})
	}
	for i := range 500 {
		here, there := "10.0.1.1", "10.0.1.2"
		if i%2 == 1 {
			here, there = there, here
		}
		stream.changes("t", podAt(here, "x", start), forgetAddress(there), upsert(podEntity("a", fmt.Sprint("n", i))))
	}
	close(stop)
	readers.Wait()
}

func TestHalfASnapshotIsDroppedWhenTheOldPictureCanBeContinued(t *testing.T) {
	server := newFeedServer(t, "one")
	s := follow(t, server, nil, "one")
	stream := server.next()
	s.first(stream, "t1")
	ready(t, s.Replica)
	stream.reset(diggerv1.ResetReason_RESET_REASON_TOO_SLOW)
	stream.changes("", factsChange(), rangeChange("10.0.0.0/8"), podAt("10.0.0.2", "half", start))
	stream.fail(status.Error(codes.Unavailable, "gone"))
	second := server.next()
	second.changes("t2", podAt("10.0.0.3", "b", start))
	second.synced("t2")
	s.becomes("10.0.0.3", "b")
	s.is("10.0.0.1", "a")
	s.is("10.0.0.2", "UNASSIGNED")
	if _, err := s.Pod("shop", "a"); err != nil {
		t.Fatal(err)
	}
}

func TestAnObjectThatNoLongerFitsIsNotToldInItsOldState(t *testing.T) {
	server := newFeedServer(t, "one")
	s := follow(t, server, func(o *Options) { o.Limits.Bytes = 4_000 }, "one")
	stream := server.next()
	s.first(stream, "t1")
	ready(t, s.Replica)
	big := podEntity("a", "n1")
	big.GetPod().Labels["app"] = strings.Repeat("x", 5_000)
	stream.changes("t2", upsert(big))
	eventually(t, "the pod is left out", func() bool { _, err := s.Pod("shop", "a"); return errors.Is(err, ErrLeftOut) })
	if _, _, err := s.ByUID("uid-a"); !errors.Is(err, ErrLeftOut) {
		t.Fatalf("%v", err)
	}
}

// Kinds and roles that a later server may have: the place is left out, and what is asked of it is not known.
func TestAHolderOfAKindOrRoleThatIsNotKnownIsNotToldAsAnother(t *testing.T) {
	for _, change := range []func(*diggerv1.TimelineHolder){
		func(h *diggerv1.TimelineHolder) { h.Kind = 7 },
		// Which is 1 in eight bits.
		func(h *diggerv1.TimelineHolder) { h.Kind = 257 },
		func(h *diggerv1.TimelineHolder) { h.Role = 99 },
		func(h *diggerv1.TimelineHolder) { h.Role = 257 },
		func(h *diggerv1.TimelineHolder) { h.Kind, h.Role = 0, 0 },
	} {
		b := newBuilder(1, Limits{1 << 20, 1 << 20, 1 << 30}, false)
		b.apply(factsChange(), ms(start))
		told := podAt("10.0.0.1", "a", start.Add(-time.Minute))
		change(told.GetTimeline().GetHolders()[0])
		b.apply(told, ms(start))
		p := b.publish()
		var a Answer
		if err := p.resolve(&Query{Address: netip.MustParseAddr("10.0.0.1")}, ms(start), never, &a); err != nil {
			t.Fatal(err)
		}
		if a.Outcome != Unknown || !a.LeftOut || p.leftOut.unreadable != 1 {
			t.Errorf("%v: %v, left out %v, %+v", told.GetTimeline().GetHolders()[0], a.Outcome, a.LeftOut, p.leftOut)
		}
	}
}
