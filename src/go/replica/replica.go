package replica

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"digger.example/go/diggerv1"
)

// Replica answers from its own copy of digger's picture. All methods may be called from any goroutine.
type Replica struct {
	options Options
	now     func() time.Time
	random  func() float64

	// What answers; nil until the first picture is complete, and after Close.
	current atomic.Pointer[picture]
	// When the last frame came that the current picture has, in ms of the server's clock.
	heard atomic.Int64
	// How far the server's clock is ahead of this one, in ms.
	offset atomic.Int64

	cancel context.CancelFunc
	done   chan struct{}

	mutex sync.Mutex
	state state
	// Closed, and replaced, when the state changes.
	changed chan struct{}
}

// state is what is told of the connection.
type state struct {
	isConnected bool
	target      string
	err         error
	// No server would accept what was asked for.
	refused  error
	isClosed bool
}

// Connect starts to follow one of the targets and returns at once; only Options that make no sense are an error. ctx
// ends the replica, as Close does.
func Connect(ctx context.Context, options Options) (*Replica, error) {
	return connect(ctx, options, time.Now, rand.Float64)
}

func connect(ctx context.Context, options Options, now func() time.Time, random func() float64) (*Replica, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	r := &Replica{
		options: options, now: now, random: random,
		cancel: cancel, done: make(chan struct{}), changed: make(chan struct{}),
	}
	go func() {
		defer close(r.done)
		newFollower(r).run(ctx)
		r.update(func(s *state) { s.isClosed, s.isConnected = true, false })
		r.current.Store(nil)
	}()
	return r, nil
}

// Close ends the stream and forgets the picture. Answers that were given stay valid.
func (r *Replica) Close() {
	r.cancel()
	<-r.done
}

// Ready waits until the first picture is complete. It fails when ctx ends first, with the reason for which no server
// could be followed; when no server would accept what Options ask for; and after Close.
func (r *Replica) Ready(ctx context.Context) error {
	for {
		r.mutex.Lock()
		state, changed := r.state, r.changed
		r.mutex.Unlock()
		switch {
		case state.isClosed:
			return ErrClosed
		case r.current.Load() != nil:
			return nil
		case state.refused != nil:
			return fmt.Errorf("replica: refused by %s: %w", state.target, state.refused)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			if state.err != nil {
				return fmt.Errorf("%w: %w; the last attempt, %s: %w", ErrNotReady, context.Cause(ctx), state.target, state.err)
			}
			return fmt.Errorf("%w: %w", ErrNotReady, context.Cause(ctx))
		}
	}
}

// Resolve says who held an address. It does not wait: before the first picture is complete it fails with ErrNotReady.
func (r *Replica) Resolve(q Query) (Answer, error) {
	p := r.current.Load()
	if p == nil {
		return Answer{Outcome: Unknown}, r.notReady()
	}
	now := r.nowMs()
	return p.resolve(&q, now, r.heardUntil(now))
}

// ResolveFlow says who was at both ends of a flow, throughout.
func (r *Replica) ResolveFlow(f Flow) (FlowAnswer, error) {
	var a FlowAnswer
	p := r.current.Load()
	if p == nil {
		a.Source.Outcome, a.Destination.Outcome = Unknown, Unknown
		return a, r.notReady()
	}
	now := r.nowMs()
	heardUntil := r.heardUntil(now)
	var err error
	source, destination := f.end(f.Source), f.end(f.Destination)
	if a.Source, err = p.resolve(&source, now, heardUntil); err != nil {
		return a, fmt.Errorf("%w (source)", err)
	}
	if a.Destination, err = p.resolve(&destination, now, heardUntil); err != nil {
		return a, fmt.Errorf("%w (destination)", err)
	}
	return a, nil
}

// Pod returns the pod with that name.
func (r *Replica) Pod(namespace, name string) (*diggerv1.Pod, error) {
	e, err := r.named(entityName{kind: Pod, namespace: namespace, name: name})
	return e.GetPod(), err
}

// Service returns the service with that name.
func (r *Replica) Service(namespace, name string) (*diggerv1.Service, error) {
	e, err := r.named(entityName{kind: Service, namespace: namespace, name: name})
	return e.GetService(), err
}

// Node returns the node with that name.
func (r *Replica) Node(name string) (*diggerv1.Node, error) {
	e, err := r.named(entityName{kind: Node, name: name})
	return e.GetNode(), err
}

// Namespace returns the namespace with that name; digger knows them only where it may list them.
func (r *Replica) Namespace(name string) (*diggerv1.Namespace, error) {
	e, err := r.named(entityName{kind: Namespace, name: name})
	return e.GetNamespace(), err
}

// Workload returns the top-level owner with that name; apiVersion as in its Reference: apps/v1.
func (r *Replica) Workload(apiVersion, kind, namespace, name string) (*diggerv1.Workload, error) {
	e, err := r.named(entityName{Workload, apiVersion, kind, namespace, name})
	return e.GetWorkload(), err
}

// ByUID returns the object with that uid, also when it is gone and an answer about the past can still name it; isFormer
// says so, and the object is then as it was at its end.
func (r *Replica) ByUID(uid string) (entity *diggerv1.Entity, isFormer bool, err error) {
	p := r.current.Load()
	if p == nil {
		return nil, false, r.notReady()
	}
	e, isFormer := p.byUID(uid)
	if e == nil {
		return nil, false, r.missing(p)
	}
	return e.message(), isFormer, nil
}

func (r *Replica) named(key entityName) (*diggerv1.Entity, error) {
	p := r.current.Load()
	if p == nil {
		return nil, r.notReady()
	}
	e := p.named(key)
	if e == nil {
		return nil, r.missing(p)
	}
	return e.message(), nil
}

func (r *Replica) missing(p *picture) error {
	if r.options.WithoutEntities || p.leftOut.entities > 0 || p.leftOut.unreadable > 0 {
		return ErrLeftOut
	}
	return ErrNotFound
}

func (r *Replica) notReady() error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.state.isClosed {
		return ErrClosed
	}
	return ErrNotReady
}

// Staleness says how good the picture is at the moment.
type Staleness struct {
	// Answers are given.
	Ready bool
	// A server is followed, and the picture is complete as far as it has told.
	Connected bool
	// The server that is followed, or was tried last.
	Target string
	// Why the last stream ended; nil while connected.
	Err error
	// When the last frame came that the answers know of.
	LastFrame time.Time
	// How old the picture is: the time since LastFrame. Up to Options.Silence is usual.
	Age time.Duration
	// The cluster is not followed since then: the server's watches are down, or this replica is cut off. Zero: it is.
	BlindSince time.Time
	// Nothing can be told of moments before.
	HistorySince time.Time
	// How far the server's clock is ahead of the local one.
	ClockOffset time.Duration
	// What is kept: timelines, their spans, objects, and about how many bytes of heap.
	Places, Spans, Entities int
	Bytes                   int64
	// How many changes were not kept since the last snapshot, because of Limits or because they could not be understood.
	LeftOutPlaces, LeftOutEntities, Unreadable int
}

// Staleness says how good the picture is at the moment.
func (r *Replica) Staleness() Staleness {
	r.mutex.Lock()
	s := Staleness{Connected: r.state.isConnected, Target: r.state.target, Err: r.state.err}
	r.mutex.Unlock()
	s.ClockOffset = time.Duration(r.offset.Load()) * time.Millisecond
	p := r.current.Load()
	if p == nil {
		return s
	}
	now := r.nowMs()
	heard := r.heard.Load()
	s.Ready = true
	s.LastFrame = timeOf(heard)
	s.Age = time.Duration(max(0, now-heard)) * time.Millisecond
	s.BlindSince = timeOf(min(p.facts.blindSince, r.heardUntil(now)))
	s.HistorySince = timeOf(max(p.facts.began, now-p.facts.history))
	s.Places, s.Spans, s.Entities, s.Bytes = p.usage.places, p.usage.spans, p.usage.entities, p.usage.bytes
	s.LeftOutPlaces, s.LeftOutEntities, s.Unreadable = p.leftOut.places, p.leftOut.entities, p.leftOut.unreadable
	return s
}

// nowMs is the server's time, as far as it is known.
func (r *Replica) nowMs() int64 { return r.now().UnixMilli() + r.offset.Load() }

// heardUntil is rule 11: the last moment of which the server's word is known, when that is too long ago; else never.
func (r *Replica) heardUntil(now int64) int64 {
	if heard := r.heard.Load(); now-heard > r.options.Silence.Milliseconds() {
		return heard
	}
	return never
}

func (r *Replica) update(change func(*state)) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	change(&r.state)
	close(r.changed)
	r.changed = make(chan struct{})
}
