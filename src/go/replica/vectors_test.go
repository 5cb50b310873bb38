package replica

// The vectors of test/vectors: streams of frames with questions and the answers that every reader of timelines gives.

import (
	"bufio"
	"encoding/json"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	"digger.example/go/diggerv1"
)

const vectorFolder = "../../../test/vectors"

type vector struct {
	About     string            `json:"about"`
	Frames    []json.RawMessage `json:"frames"`
	Questions []struct {
		About  string       `json:"about"`
		Ask    vectorAsk    `json:"ask"`
		Answer vectorAnswer `json:"answer"`
	} `json:"questions"`
}

type vectorAsk struct {
	Address    string `json:"address"`
	Port       uint16 `json:"port"`
	Protocol   string `json:"protocol"`
	PodNetwork string `json:"podNetwork"`
	AtMs       *int64 `json:"atMs"`
	UntilMs    *int64 `json:"untilMs"`
	NowMs      int64  `json:"nowMs"`
	HeardMs    *int64 `json:"heardMs"`
}

type vectorHolder struct {
	UID       string `json:"uid"`
	Role      string `json:"role"`
	From      int64  `json:"from"`
	To        *int64 `json:"to,omitempty"`
	Uncertain bool   `json:"uncertain,omitempty"`
}

type vectorAnswer struct {
	Outcome   string         `json:"outcome"`
	Uncertain bool           `json:"uncertain,omitempty"`
	Holders   []vectorHolder `json:"holders,omitempty"`
	Others    []vectorHolder `json:"others,omitempty"`
	Workload  string         `json:"workload,omitempty"`
	Since     int64          `json:"since"`
}

func TestVectorsGiveTheAnswersThatAreWrittenInThem(t *testing.T) {
	for _, v := range readVectors(t) {
		t.Run(v.name, func(t *testing.T) {
			if wrong := v.check(t); wrong > 0 {
				t.Errorf("%d of %d answers differ", wrong, len(v.Questions))
			}
		})
	}
}

// namedVector is a vector with the name of its file.
type namedVector struct {
	name string
	vector
}

// readVectors gives every vector, in the order of their names.
func readVectors(t testing.TB) []namedVector {
	files, err := filepath.Glob(filepath.Join(vectorFolder, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors in %s: this test runs in a checkout of the repository (%v)", vectorFolder, err)
	}
	vectors := make([]namedVector, 0, len(files))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var v vector
		if err := json.Unmarshal(text, &v); err != nil {
			t.Fatal(err)
		}
		vectors = append(vectors, namedVector{filepath.Base(file), v})
	}
	return vectors
}

// checkAll checks vectors that come as one JSON text a line, and returns how many questions they had.
func checkAll(t *testing.T, from io.Reader) int {
	questions := 0
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return questions
		}
		if err != nil {
			t.Fatal(err)
		}
		var v vector
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatalf("%v in %.200s", err, line)
		}
		questions += len(v.Questions)
		if v.check(t) > 0 {
			t.Fatalf("differs: %s", v.About)
		}
	}
}

// check returns how many answers differ, and tells the first of them.
func (v *vector) check(t *testing.T) int {
	b := newBuilder(1, Limits{1 << 30, 1 << 30, 1 << 40}, false)
	for _, text := range v.Frames {
		var frame diggerv1.WatchResponse
		if err := protojson.Unmarshal(text, &frame); err != nil {
			t.Fatalf("%s: %v", v.About, err)
		}
		if frame.GetReset_() != nil {
			b = newBuilder(b.edition+1, b.limits, false)
		}
		for _, change := range frame.GetChanges().GetChanges() {
			// Long ago, so that nothing is trimmed: the moments of vectors are small numbers.
			b.apply(change, -1<<40)
		}
		// Between the frames somebody may have looked.
		b.publish()
	}
	p := b.publish()
	if p.leftOut != (leftOut{}) {
		t.Fatalf("%s: left out: %+v", v.About, p.leftOut)
	}
	wrong := 0
	for _, each := range v.Questions {
		got := answerOf(t, p, each.Ask)
		if reflect.DeepEqual(got, each.Answer) {
			continue
		}
		if wrong++; wrong <= 3 {
			asked, _ := json.Marshal(each.Ask)
			g, _ := json.Marshal(got)
			w, _ := json.Marshal(each.Answer)
			t.Errorf("%s: %s\nasked  %s\ngot    %.900s\nwanted %.900s", v.About, each.About, asked, g, w)
		}
	}
	return wrong
}

func answerOf(t *testing.T, p *picture, ask vectorAsk) vectorAnswer {
	q := Query{Address: netip.MustParseAddr(ask.Address), Port: ask.Port, PodNetwork: ask.PodNetwork}
	switch ask.Protocol {
	case "":
	case "TCP":
		q.Protocol = TCP
	case "UDP":
		q.Protocol = UDP
	case "SCTP":
		q.Protocol = SCTP
	default:
		t.Fatalf("protocol %q", ask.Protocol)
	}
	if ask.AtMs != nil {
		// Within the millisecond: it is cut.
		q.At = time.UnixMilli(*ask.AtMs).Add(999 * time.Microsecond)
	}
	if ask.UntilMs != nil {
		q.Until = time.UnixMilli(*ask.UntilMs).Add(999 * time.Microsecond)
	}
	heard := int64(never)
	if ask.HeardMs != nil {
		heard = *ask.HeardMs
	}
	var a Answer
	if err := p.resolve(&q, ask.NowMs, heard, &a); err != nil {
		t.Fatalf("%+v: %v", ask, err)
	}
	return written(&a)
}

// written is the answer in the form of the vectors.
func written(a *Answer) vectorAnswer {
	made := vectorAnswer{Outcome: a.Outcome.String(), Uncertain: a.Uncertain, Since: a.since}
	switch a.Outcome {
	case Resolved, Hidden:
		made.Holders = []vectorHolder{writtenHolder(a.Holder, a.from, a.to, a.Uncertain)}
		for _, c := range a.Candidates() {
			made.Others = append(made.Others, writtenHolder(c.Holder, c.from, c.to, c.Uncertain))
		}
	case Ambiguous:
		for _, c := range a.Candidates() {
			made.Holders = append(made.Holders, writtenHolder(c.Holder, c.from, c.to, c.Uncertain))
		}
	}
	if w, ok := a.Workload(); ok {
		made.Workload = w.UID
	}
	return made
}

func writtenHolder(h Holder, from, to int64, isUncertain bool) vectorHolder {
	made := vectorHolder{UID: h.UID(), Role: h.Role().String(), From: from, Uncertain: isUncertain}
	if to != never {
		made.To = &to
	}
	return made
}
