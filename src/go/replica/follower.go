package replica

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"digger.example/go/diggerv1"
)

// Follows one server after another. The picture that answers is replaced only by one that is whole: frames of a snapshot
// or of a catch-up go into the builder and are published with the Synced behind them, later ones at once.
//
// It owns the builder and the token, runs in one goroutine, and ends with its context.
type follower struct {
	replica *Replica
	builder *builder
	// What the builder's state corresponds to.
	token []byte
	// The builder's state is a whole picture, and the stream is beyond its Synced.
	isFollowing bool
	// The token of the picture that answers.
	published []byte
	edition   uint64
	// Which target is next.
	next int
	// Attempts since the last Synced.
	failures int
	// The last snapshot that was asked for because there is room again.
	refilled time.Time
	clock    clock
}

const (
	firstBackoff = 200 * time.Millisecond
	lastBackoff  = 10 * time.Second
	// A server may wait 3 s until it has seen what the token has, and a big snapshot may have to be put together.
	firstFrame = 30 * time.Second
	// Between snapshots that are asked for because there is room again.
	refillPause = time.Minute
)

var (
	errSilent      = errors.New("the server was silent for too long")
	errEnded       = errors.New("the server ended the stream")
	errClosing     = errors.New("the server is about to close the stream")
	errNoTimelines = errors.New("the server does not send timelines: it is too old")
	errRefill      = errors.New("there is room again for what was left out")
)

func newFollower(r *Replica) *follower {
	f := &follower{replica: r, next: int(r.random() * float64(len(r.options.Targets)))}
	f.begin()
	return f
}

// begin starts a picture from nothing.
func (f *follower) begin() {
	f.edition++
	f.builder = newBuilder(f.edition, f.replica.options.Limits, f.replica.options.WithoutEntities)
	f.token, f.isFollowing = nil, false
}

func (f *follower) run(ctx context.Context) {
	targets := f.replica.options.Targets
	for {
		target := targets[f.next%len(targets)]
		err := f.follow(ctx, target)
		if ctx.Err() != nil {
			return
		}
		f.isFollowing = false
		f.afterFailure(err)
		if !errors.Is(err, errRefill) {
			f.next++
		}
		isRefused := status.Code(err) == codes.InvalidArgument
		f.replica.update(func(s *state) {
			s.isConnected, s.target, s.err, s.refused = false, target, err, nil
			if isRefused {
				s.refused = err
			}
		})
		f.tell(FailoverEvent{Target: target, Next: targets[f.next%len(targets)], Err: err})
		select {
		case <-time.After(f.pause(err)):
		case <-ctx.Done():
			return
		}
	}
}

// afterFailure decides what the next stream continues from.
func (f *follower) afterFailure(err error) {
	f.failures++
	switch {
	case status.Code(err) == codes.InvalidArgument && f.token != nil:
		// It may be the token that this server does not understand.
		f.begin()
		f.published = nil
	case errors.Is(err, errRefill):
		f.begin()
	case f.token == nil && f.published != nil:
		// A part of a snapshot that cannot be continued is worth less than the picture that answers.
		f.edition++
		b := newBuilder(f.edition, f.replica.options.Limits, f.replica.options.WithoutEntities)
		b.picture = *f.replica.current.Load()
		f.builder, f.token = b, f.published
	case f.token == nil:
		f.begin()
	}
}

// pause returns how long to wait before the next attempt: hardly at all for the first one of each target, then longer
// each round; always by chance, so that the consumers of a server that stopped do not come all at once.
func (f *follower) pause(err error) time.Duration {
	targets := len(f.replica.options.Targets)
	round := max(0, f.failures-1) / targets
	if round == 0 && (targets > 1 || f.failures == 1) {
		if retry := retryDelay(err); targets == 1 && retry > 0 {
			return retry + f.part(retry/4)
		}
		return f.part(firstBackoff)
	}
	wait := firstBackoff << min(round, 10)
	wait = min(wait, lastBackoff)
	return wait/2 + f.part(wait/2)
}

func (f *follower) part(of time.Duration) time.Duration {
	return time.Duration(f.replica.random() * float64(of))
}

// retryDelay is what the server asks for; at most half a minute of it.
func retryDelay(err error) time.Duration {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			return min(info.GetRetryDelay().AsDuration(), 30*time.Second)
		}
	}
	return 0
}

// follow opens a stream to the target and follows it to its end, of which it returns the reason.
func (f *follower) follow(ctx context.Context, target string) error {
	o := &f.replica.options
	dial := []grpc.DialOption{
		// A name that stands for several servers: any of them, another one after a failure.
		grpc.WithDefaultServiceConfig(`{"loadBalancingConfig":[{"pick_first":{"shuffleAddressList":true}}]}`),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second}),
	}
	switch {
	case o.Credentials != nil:
		dial = append(dial, grpc.WithTransportCredentials(o.Credentials))
	default:
		dial = append(dial, grpc.WithTransportCredentials(insecure.NewCredentials()))
	}
	connection, err := grpc.NewClient(target, append(dial, o.DialOptions...)...)
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(firstFrame, func() { cancel(errSilent) })
	defer watchdog.Stop()
	stream, err := diggerv1.NewChangeFeedServiceClient(connection).Watch(ctx, &diggerv1.WatchRequest{
		Filter: o.Filter, View: o.View, ResumeToken: f.token, Timelines: true, PodNetworks: true, HiddenHolders: true,
		// A sign of life before the silence is too long, also when it takes its time on the way.
		HeartbeatInterval: durationpb.New(o.Silence * 2 / 3),
	})
	if err != nil {
		return fmt.Errorf("%w", err)
	}
	for {
		frame, err := stream.Recv()
		if err != nil {
			if cause := context.Cause(ctx); errors.Is(cause, errSilent) {
				return cause
			}
			if errors.Is(err, io.EOF) {
				return errEnded
			}
			return err
		}
		if err := f.apply(frame, target); err != nil {
			return err
		}
		if f.isFollowing {
			watchdog.Reset(2 * o.Silence)
		} else {
			watchdog.Reset(firstFrame)
		}
	}
}

// apply does what the frame says.
func (f *follower) apply(frame *diggerv1.WatchResponse, target string) error {
	r := f.replica
	now := r.nowMs()
	closing := false
	switch each := frame.GetFrame().(type) {
	case *diggerv1.WatchResponse_Reset_:
		f.begin()
		r.update(func(s *state) { s.isConnected = false })
		f.tell(ResetEvent{each.Reset_.GetReason(), each.Reset_.GetMessage()})
	case *diggerv1.WatchResponse_Changes:
		for _, change := range each.Changes.GetChanges() {
			f.builder.apply(change, now)
		}
		if f.isFollowing {
			f.publish()
		}
		if r.options.OnEvent != nil {
			f.tell(ChangeEvent{each.Changes.GetChanges(), f.isFollowing})
		}
	case *diggerv1.WatchResponse_Synced:
		if f.builder.facts == nil {
			return errNoTimelines
		}
		f.isFollowing, f.failures = true, 0
		f.publish()
		r.heard.Store(now)
		r.update(func(s *state) { s.isConnected, s.target, s.err, s.refused = true, target, nil, nil })
		f.tell(SyncedEvent{target})
	case *diggerv1.WatchResponse_Progress:
		if t := each.Progress.GetServerTime(); t.IsValid() {
			r.offset.Store(f.clock.offset(t.AsTime().UnixMilli() - r.now().UnixMilli()))
			// Not of this moment: it may have waited on its way, and what it says with it.
			now = t.AsTime().UnixMilli()
		}
		closing = each.Progress.GetClosing()
	}
	if token := frame.GetResumeToken(); len(token) > 0 {
		f.token = token
	}
	if f.isFollowing {
		f.published = f.token
		r.heard.Store(now)
	}
	switch {
	case closing:
		return errClosing
	case f.mayRefill(frame):
		f.refilled = r.now()
		return errRefill
	}
	return nil
}

func (f *follower) publish() {
	f.replica.current.Store(f.builder.publish())
	f.edition = f.builder.edition
}

// mayRefill says that what was left out may fit now, on a quiet moment.
func (f *follower) mayRefill(frame *diggerv1.WatchResponse) bool {
	b := f.builder
	if frame.GetProgress() == nil || !f.isFollowing || b.leftOut.places+b.leftOut.entities == 0 {
		return false
	}
	hasRoom := b.usage.entities <= b.limits.Entities/5*4 && b.usage.spans <= b.limits.Spans/5*4 &&
		b.usage.bytes <= b.limits.Bytes/5*4
	return hasRoom && f.replica.now().Sub(f.refilled) >= refillPause
}

func (f *follower) tell(event Event) {
	if f.replica.options.OnEvent != nil {
		f.replica.options.OnEvent(event)
	}
}

// clock follows how far the server's clock is ahead. A reading is too small by the time that the frame took on its way;
// so the largest of the last few counts.
type clock struct {
	readings [8]int64
	count    int
}

func (c *clock) offset(reading int64) int64 {
	c.readings[c.count%len(c.readings)] = reading
	c.count++
	largest := reading
	for _, each := range c.readings[:min(c.count, len(c.readings))] {
		largest = max(largest, each)
	}
	return largest
}
