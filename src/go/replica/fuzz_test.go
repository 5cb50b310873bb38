package replica

// Fuzz tests: what a server, or what stands before it, may send (FuzzFrames), and what streams may do, one after another,
// while a cluster changes (FuzzResume). Long runs by hand:
//
//	go test ./replica -run '^$' -fuzz FuzzFrames -fuzztime 10m -fuzzminimizetime 20x

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"digger.example/go/diggerv1"
)

// askedOf are places that vectors and fuzzed frames are likely to speak of.
var askedOf = []Query{
	{Address: netip.MustParseAddr("10.0.0.1")},
	{Address: netip.MustParseAddr("10.0.0.1"), Port: 80, Protocol: TCP},
	{Address: netip.MustParseAddr("10.0.0.1"), Port: 80},
	{Address: netip.MustParseAddr("10.0.0.2"), PodNetwork: "blue"},
	{Address: netip.MustParseAddr("192.168.0.1"), Port: 8080, Protocol: UDP},
	{Address: netip.MustParseAddr("fd00::1"), Port: 443},
}

// addVectors gives the frames of the vectors to the fuzzer.
func addVectors(f *testing.F) {
	for _, v := range readVectors(f) {
		all := &diggerv1.Changes{}
		for _, text := range v.Frames {
			var frame diggerv1.WatchResponse
			if err := protojson.Unmarshal(text, &frame); err != nil {
				f.Fatal(err)
			}
			all.Changes = append(all.Changes, frame.GetChanges().GetChanges()...)
		}
		bytes, err := proto.Marshal(all)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(bytes, int64(1_000), int64(1_000), uint16(80))
	}
}

// FuzzFrames applies whatever can be read as changes. Nothing panics, what was published stays as it is, what is counted
// is what is there, and an answer is whole.
func FuzzFrames(f *testing.F) {
	addVectors(f)
	f.Fuzz(func(t *testing.T, bytes []byte, at, length int64, port uint16) {
		var all diggerv1.Changes
		if len(bytes) > 1<<16 || proto.Unmarshal(bytes, &all) != nil {
			return
		}
		limits := Limits{64, 512, 1 << 20}
		b := newBuilder(1, limits, false)
		b.apply(factsChange(), 0)
		half := len(all.GetChanges()) / 2
		for _, change := range all.GetChanges()[:half] {
			b.apply(change, at)
		}
		before := b.publish()
		queries := queriesOf(&all, at, length, port)
		said := answersOf(t, before, queries, at)
		for _, change := range all.GetChanges()[half:] {
			b.apply(change, at)
		}
		b.publish()
		if again := answersOf(t, before, queries, at); !reflect.DeepEqual(said, again) {
			t.Fatalf("a picture that was published changed:\n%v\n%v", said, again)
		}
		after := b.publish()
		answersOf(t, after, queries, at)
		checkUsage(t, after, limits)
	})
}

// queriesOf asks for the places that the frames speak of, and some others.
func queriesOf(all *diggerv1.Changes, at, length int64, port uint16) []Query {
	list := append([]Query{}, askedOf...)
	for _, change := range all.GetChanges() {
		p := change.GetTimeline().GetPlace()
		address, err := netip.ParseAddr(p.GetAddress())
		if err != nil || address.Zone() != "" || len(list) > 20 {
			continue
		}
		list = append(list, Query{Address: address, PodNetwork: p.GetPodNetwork()},
			Query{Address: address, Port: uint16(p.GetPort()), Protocol: Protocol(uint32(p.GetProtocol()) % 4)},
			Query{Address: address, Port: port})
	}
	for _, q := range list[:len(list):len(list)] {
		q.At = time.UnixMilli(at)
		list = append(list, q)
		if length > 0 && length < 1<<40 {
			q.Until = time.UnixMilli(at + length)
			list = append(list, q)
		}
	}
	return list
}

func answersOf(t *testing.T, p *picture, queries []Query, now int64) []string {
	said := make([]string, 0, len(queries))
	for _, q := range queries {
		var a Answer
		if err := p.resolve(&q, now, never, &a); err != nil {
			if !errors.Is(err, ErrInterval) {
				t.Fatalf("%+v: %v", q, err)
			}
			continue
		}
		candidates := a.Candidates()
		if (a.Outcome == Resolved) == a.Holder.IsZero() {
			t.Fatalf("%+v: %v with holder %v", q, a.Outcome, a.Holder)
		}
		if len(candidates) > MaxCandidates || a.Outcome == Ambiguous && len(candidates) < 1 {
			t.Fatalf("%+v: %v with %d candidates", q, a.Outcome, len(candidates))
		}
		text := fmt.Sprint(a.Outcome, a.Uncertain, a.ValidFrom(), a.ValidTo(), a.HistorySince(), a.Behind())
		for _, c := range candidates {
			text += fmt.Sprint(c.Kind(), c.Namespace(), c.Name(), c.UID(), c.Role(), c.ValidFrom(), c.ValidTo(), c.Uncertain)
		}
		if a.Outcome == Resolved {
			text += fmt.Sprint(a.Holder.Kind(), a.Holder.Namespace(), a.Holder.Name(), a.Holder.UID(), a.Holder.Role())
			if a.Holder.Kind() < Pod || a.Holder.Kind() > Node || a.Holder.Role() < PodIP || a.Holder.Role() > Endpoint {
				t.Fatalf("%+v: a holder of a kind or role that is not known: %s", q, text)
			}
		}
		workload, ok := a.Workload()
		said = append(said, text+fmt.Sprint(workload, ok))
	}
	return said
}

// checkUsage compares what the picture counts with what it has.
func checkUsage(t *testing.T, p *picture, limits Limits) {
	var counted usage
	eachOf(&p.timelines, func(each *timeline) {
		counted.places++
		counted.spans += each.spanCount()
		counted.bytes += each.bytes()
	})
	for _, objects := range []*table[entity]{&p.names, &p.formers} {
		eachOf(objects, func(each *entity) {
			counted.entities++
			counted.bytes += each.bytes()
		})
	}
	if counted != p.usage {
		t.Fatalf("counted %+v, there are %+v", p.usage, counted)
	}
	if counted.entities > limits.Entities || counted.spans > limits.Spans || counted.bytes > limits.Bytes {
		t.Fatalf("%+v is beyond %+v", counted, limits)
	}
}

func eachOf[T any](t *table[T], each func(*T)) {
	seen := map[*page[T]]bool{}
	for _, p := range t.directory {
		if seen[p] {
			continue
		}
		seen[p] = true
		for i := range p.groups {
			for j, tag := range p.groups[i].tags {
				if tag != 0 {
					each(p.groups[i].items[j])
				}
			}
		}
	}
}

// FuzzResume plays a server and its streams: the bytes are what happens next. However streams end and go on, what answers
// is always one whole state that the server had, never an older one than before, and the newest one while the replica
// follows.
func FuzzResume(f *testing.F) {
	f.Add([]byte{0, 9, 1, 1, 1, 1, 0, 17, 1, 3, 1, 1, 0, 33, 1, 1})
	f.Add([]byte{0, 9, 0, 25, 1, 1, 1, 2, 0, 41, 4, 3, 1, 1, 3, 1, 1, 1, 1})
	f.Add([]byte{0, 9, 1, 1, 1, 1, 5, 3, 0, 10, 1, 1, 6, 1, 0, 11, 1, 7, 1, 1, 1})
	f.Fuzz(func(t *testing.T, steps []byte) {
		if len(steps) > 400 {
			return
		}
		w := newResumeWorld(t)
		for i := 0; i < len(steps); i++ {
			argument := byte(0)
			if i+1 < len(steps) {
				argument = steps[i+1]
			}
			switch steps[i] % 8 {
			case 0:
				w.write(argument)
				i++
			case 1, 2:
				w.deliver(int(steps[i]%8) * 2)
			case 3:
				w.end(status.Error(codes.Unavailable, "cut"))
			case 4:
				w.epoch++
			case 5:
				w.end(status.Error(codes.InvalidArgument, "not a token"))
			case 6:
				w.progress(true)
			case 7:
				w.progress(false)
			}
			w.check()
		}
		// Left alone, it gets there.
		for range 200 {
			w.deliver(8)
		}
		w.check()
		if !w.follower.isFollowing || w.shown() != w.state(len(w.log)) {
			t.Fatalf("%s is shown in the end, the server has %s", w.shown(), w.state(len(w.log)))
		}
	})
}

// A write gives an address to a pod, or takes it away.
type resumeWrite struct {
	address int
	pod     string
}

type resumeWorld struct {
	t        *testing.T
	follower *follower
	log      []resumeWrite
	// What is held after all of them, and after each number of them.
	present map[int]string
	states  []string
	// Tokens of an epoch before are not understood: the stream begins with a Reset.
	epoch int
	// The stream: closed, or what it still has to tell before Synced, and up to where of the log it has told.
	isOpen, isSynced bool
	owed             []resumeWrite
	told             int
	// What it owed was the state of the log up to here.
	base   int
	opened int
	// The newest state of the log that was shown.
	newest int
}

const resumeAddresses = 8

func newResumeWorld(t *testing.T) *resumeWorld {
	options, err := Options{Targets: []string{"one", "two"}}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	r := &Replica{options: options, now: func() time.Time { return start }, random: func() float64 { return 0 }, changed: make(chan struct{})}
	return &resumeWorld{t: t, follower: newFollower(r), newest: -1, present: map[int]string{}, states: []string{fmt.Sprint(map[int]string{})}}
}

func (w *resumeWorld) write(what byte) {
	next := resumeWrite{address: int(what) % resumeAddresses}
	if what >= resumeAddresses {
		next.pod = fmt.Sprintf("p%d", what/resumeAddresses)
	}
	w.log = append(w.log, next)
	if next.pod == "" {
		delete(w.present, next.address)
	} else {
		w.present[next.address] = next.pod
	}
	w.states = append(w.states, fmt.Sprint(w.present))
}

func (w *resumeWorld) token() []byte { return fmt.Appendf(nil, "%d:%d", w.opened, w.told) }

// open answers the token that the follower has.
func (w *resumeWorld) open() {
	w.isOpen, w.isSynced, w.opened = true, false, w.epoch
	var epoch, at int
	if _, err := fmt.Sscanf(string(w.follower.token), "%d:%d", &epoch, &at); err == nil && epoch == w.epoch {
		w.told = at
		w.owed = append([]resumeWrite{}, w.log[at:]...)
		w.base = len(w.log)
		return
	}
	w.owed = nil
	for address := range resumeAddresses {
		w.owed = append(w.owed, resumeWrite{address, w.present[address]})
	}
	w.base = len(w.log)
	w.send(&diggerv1.WatchResponse{Frame: &diggerv1.WatchResponse_Reset_{Reset_: &diggerv1.Reset{}}})
	w.send(changesOf(factsChange(), rangeChange("10.0.0.0/8")))
	w.told = -1
}

// deliver sends one frame, with at most so many changes.
func (w *resumeWorld) deliver(most int) {
	switch {
	case !w.isOpen:
		w.open()
	case len(w.owed) > 0:
		some := w.owed[:min(most, len(w.owed))]
		w.owed = w.owed[len(some):]
		frame := changesOf()
		for _, each := range some {
			frame.GetChanges().Changes = append(frame.GetChanges().Changes, each.change())
		}
		// Of a snapshot only the whole can be continued here.
		if w.told >= 0 {
			w.told += len(some)
			frame.ResumeToken = w.token()
		}
		w.send(frame)
	case !w.isSynced:
		// The state of a snapshot is that of its beginning; what came meanwhile follows.
		w.isSynced = true
		w.told = len(w.log)
		frame := changesOf()
		for _, each := range w.log[w.base:] {
			frame.GetChanges().Changes = append(frame.GetChanges().Changes, each.change())
		}
		w.send(frame)
		synced := &diggerv1.WatchResponse{Frame: &diggerv1.WatchResponse_Synced{Synced: &diggerv1.Synced{}}, ResumeToken: w.token()}
		w.send(synced)
	case w.told < len(w.log):
		frame := changesOf()
		for w.told < len(w.log) && most > 0 {
			frame.GetChanges().Changes = append(frame.GetChanges().Changes, w.log[w.told].change())
			w.told++
			most--
		}
		frame.ResumeToken = w.token()
		w.send(frame)
	}
}

func (w *resumeWorld) progress(closing bool) {
	if w.isOpen {
		w.send(&diggerv1.WatchResponse{Frame: &diggerv1.WatchResponse_Progress{Progress: &diggerv1.Progress{Closing: closing}}})
	}
}

func (w *resumeWorld) send(frame *diggerv1.WatchResponse) {
	if !w.isOpen {
		return
	}
	if err := w.follower.apply(frame, "one"); err != nil {
		w.end(err)
	}
}

// end is what run does when a stream has ended.
func (w *resumeWorld) end(err error) {
	w.isOpen = false
	w.follower.isFollowing = false
	w.follower.afterFailure(err)
	if w.follower.pause(err) < 0 {
		w.t.Fatal("a pause of less than nothing")
	}
}

func (w *resumeWorld) check() {
	r := w.follower.replica
	p := r.current.Load()
	if p == nil {
		return
	}
	checkUsage(w.t, p, r.options.Limits)
	shown := w.shown()
	if w.follower.isFollowing && shown != w.state(w.told) {
		w.t.Fatalf("%s is shown, %s was told (%d of %d)", shown, w.state(w.told), w.told, len(w.log))
	}
	// The newest state that looks like this; states may repeat.
	for at := len(w.log); at >= 0; at-- {
		if w.state(at) == shown {
			if at < w.newest {
				w.t.Fatalf("%s, the state of %d, is shown after that of %d", shown, at, w.newest)
			}
			if w.follower.isFollowing {
				w.newest = max(w.newest, w.told)
			}
			return
		}
	}
	w.t.Fatalf("%s is shown, which the server never had", shown)
}

// state is what the log says when so much of it has happened.
func (w *resumeWorld) state(until int) string { return w.states[until] }

func (w *resumeWorld) shown() string {
	holders := map[int]string{}
	for address := range resumeAddresses {
		a, err := w.follower.replica.Resolve(Query{Address: netip.MustParseAddr(nthAddress(address))})
		if err != nil {
			w.t.Fatal(err)
		}
		if a.Outcome == Resolved {
			holders[address] = a.Holder.Name()
		} else if a.Outcome != Unassigned {
			w.t.Fatalf("%s is %v", nthAddress(address), a.Outcome)
		}
	}
	return fmt.Sprint(holders)
}

func nthAddress(n int) string { return fmt.Sprintf("10.0.0.%d", n+1) }

func (c resumeWrite) change() *diggerv1.Change {
	if c.pod == "" {
		return forgetAddress(nthAddress(c.address))
	}
	return podAt(nthAddress(c.address), c.pod, start.Add(-time.Minute))
}

func changesOf(list ...*diggerv1.Change) *diggerv1.WatchResponse {
	return &diggerv1.WatchResponse{Frame: &diggerv1.WatchResponse_Changes{Changes: &diggerv1.Changes{Changes: list}}}
}
