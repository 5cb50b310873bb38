package replica

import (
	"errors"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"digger.example/go/diggerv1"
)

// Options say where the servers are and what to keep.
type Options struct {
	// Names that gRPC understands, of one cluster's servers: dns:///digger-headless.digger.svc:50051. One stream goes to
	// one of them; another one is taken after a failure. Required: at least one.
	Targets []string
	// How the connection is secured. Nil: in plain text, unless DialOptions say more.
	Credentials credentials.TransportCredentials
	// Added to those of the replica: per-RPC credentials, a dialer, interceptors.
	DialOptions []grpc.DialOption
	// Which objects matter. Nil: all.
	Filter *diggerv1.WatchFilter
	// How much of the objects to keep. Unspecified: VIEW_BASIC, without labels, annotations and containers.
	View diggerv1.View
	// Keep no objects, only who held which address (with name, namespace and workload): a third of the memory. Questions
	// by name and uid then fail with ErrLeftOut.
	WithoutEntities bool
	// What is kept at most.
	Limits Limits
	// How long the server may be silent before answers become as doubtful as when its watches are down. 0: 10 s; it is
	// asked for a sign of life every two thirds of it. 1.5–45 s.
	Silence time.Duration
	// Called for every event, in order, from the goroutine that reads the stream and after the picture has it; the next
	// frame waits for its return, so a slow one makes the picture late. Nil: none.
	OnEvent func(Event)
}

// Limits bound what a replica keeps. Beyond them, what comes last is left out, and told: see Answer.LeftOut, ErrLeftOut
// and Staleness. Once there is room again the replica asks for a new snapshot.
type Limits struct {
	// Objects. 0: 2,000,000.
	Entities int
	// Stretches of time in timelines. 0: 10,000,000.
	Spans int
	// Bytes of heap, as estimated. While a new snapshot is built beside the old picture it may be twice that. 0: 2 GiB.
	Bytes int64
}

func (o Options) withDefaults() (Options, error) {
	if len(o.Targets) == 0 {
		return o, errors.New("replica: Options.Targets is empty: at least one server is needed")
	}
	for _, target := range o.Targets {
		if target == "" {
			return o, errors.New("replica: a target in Options.Targets is empty")
		}
	}
	if o.View == diggerv1.View_VIEW_UNSPECIFIED {
		o.View = diggerv1.View_VIEW_BASIC
	}
	if o.Silence == 0 {
		o.Silence = 10 * time.Second
	}
	if o.Silence < 1500*time.Millisecond || o.Silence > 45*time.Second {
		return o, errors.New("replica: Options.Silence is " + o.Silence.String() + ": 1.5 s to 45 s is allowed")
	}
	if o.Limits.Entities < 0 || o.Limits.Spans < 0 || o.Limits.Bytes < 0 {
		return o, errors.New("replica: a limit in Options.Limits is negative")
	}
	if o.Limits.Entities == 0 {
		o.Limits.Entities = 2_000_000
	}
	if o.Limits.Spans == 0 {
		o.Limits.Spans = 10_000_000
	}
	if o.Limits.Bytes == 0 {
		o.Limits.Bytes = 2 << 30
	}
	return o, nil
}
