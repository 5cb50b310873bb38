package replica

// A feed server with verbs: the test says what it sends next, and sees what is asked.

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/timestamppb"

	"digger.example/go/diggerv1"
)

type feedServer struct {
	diggerv1.UnimplementedChangeFeedServiceServer
	t       *testing.T
	mutex   sync.Mutex
	servers map[string]*bufconn.Listener
	// Streams as they come.
	streams chan *feedStream
}

// feedStream is one subscription that the server has.
type feedStream struct {
	t       *testing.T
	server  string
	request *diggerv1.WatchRequest
	frames  chan *diggerv1.WatchResponse
	end     chan error
	ctx     context.Context
}

func newFeedServer(t *testing.T, names ...string) *feedServer {
	s := &feedServer{t: t, servers: map[string]*bufconn.Listener{}, streams: make(chan *feedStream, 16)}
	for _, name := range names {
		listener := bufconn.Listen(1 << 20)
		server := grpc.NewServer()
		diggerv1.RegisterChangeFeedServiceServer(server, &namedServer{feedServer: s, name: name})
		s.servers[name] = listener
		go server.Serve(listener)
		t.Cleanup(server.Stop)
	}
	return s
}

type namedServer struct {
	*feedServer
	name string
}

func (s *namedServer) Watch(request *diggerv1.WatchRequest, out grpc.ServerStreamingServer[diggerv1.WatchResponse]) error {
	stream := &feedStream{s.t, s.name, request, make(chan *diggerv1.WatchResponse), make(chan error), out.Context()}
	select {
	case s.streams <- stream:
	case <-out.Context().Done():
		return out.Context().Err()
	}
	for {
		select {
		case frame := <-stream.frames:
			if err := out.Send(frame); err != nil {
				return err
			}
		case err := <-stream.end:
			return err
		case <-out.Context().Done():
			return out.Context().Err()
		}
	}
}

// options are those of a replica of the servers.
func (s *feedServer) options(targets ...string) Options {
	o := Options{DialOptions: []grpc.DialOption{
		grpc.WithContextDialer(func(ctx context.Context, target string) (net.Conn, error) {
			s.mutex.Lock()
			listener := s.servers[target]
			s.mutex.Unlock()
			return listener.DialContext(ctx)
		}),
	}}
	for _, target := range targets {
		o.Targets = append(o.Targets, "passthrough:///"+target)
	}
	return o
}

// next waits for the next subscription.
func (s *feedServer) next() *feedStream {
	s.t.Helper()
	select {
	case stream := <-s.streams:
		return stream
	case <-time.After(20 * time.Second):
		s.t.Fatal("no subscription within 20 s")
		return nil
	}
}

func (s *feedStream) send(token string, frame *diggerv1.WatchResponse) {
	s.t.Helper()
	frame.ResumeToken = []byte(token)
	select {
	case s.frames <- frame:
	case <-s.ctx.Done():
		s.t.Fatal("the replica left the stream")
	}
}

func (s *feedStream) reset(reason diggerv1.ResetReason) {
	s.t.Helper()
	s.send("", &diggerv1.WatchResponse{Frame: &diggerv1.WatchResponse_Reset_{Reset_: &diggerv1.Reset{Reason: reason}}})
}

func (s *feedStream) changes(token string, changes ...*diggerv1.Change) {
	s.t.Helper()
	s.send(token, &diggerv1.WatchResponse{Frame: &diggerv1.WatchResponse_Changes{Changes: &diggerv1.Changes{Changes: changes}}})
}

func (s *feedStream) synced(token string) {
	s.t.Helper()
	s.send(token, &diggerv1.WatchResponse{Frame: &diggerv1.WatchResponse_Synced{Synced: &diggerv1.Synced{}}})
}

func (s *feedStream) progress(token string, serverTime time.Time, closing bool) {
	s.t.Helper()
	p := &diggerv1.Progress{Closing: closing}
	if !serverTime.IsZero() {
		p.ServerTime = timestamppb.New(serverTime)
	}
	s.send(token, &diggerv1.WatchResponse{Frame: &diggerv1.WatchResponse_Progress{Progress: p}})
}

func (s *feedStream) fail(err error) { s.end <- err }

// clockFake is a clock that stands still unless it is moved.
type clockFake struct {
	mutex sync.Mutex
	time  time.Time
}

func (c *clockFake) now() time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.time
}

func (c *clockFake) move(by time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.time = c.time.Add(by)
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}
