package replica

import (
	"cmp"
	"fmt"
	"math"
	"unique"
	"unsafe"

	"digger.example/go/diggerv1"
)

// Who held a place, in the form in which it is kept: what nearly every address has, one holder and one span, stands in
// one block of 128 bytes; the rest, where there is any, in another. Immutable once it is in the table.
//
// All moments are milliseconds since the epoch; every interval contains its start and not its end.

const (
	// An end that has not come, a doubt that never begins.
	never = math.MaxInt64
	// Before everything.
	always = math.MinInt64
)

type timeline struct {
	place place
	// Of more than one holder the first; nothing when there is none.
	first holder
	// Of more than one span the newest; empty when there is none.
	last span
	// Nil when there is nothing more.
	more *rest
}

type rest struct {
	holders []holder
	// For each holder, the first included; only for places with a port.
	orders []order
	// Oldest first, without the newest.
	spans []span
	// What spans with several holders refer to.
	refs []ref
	// Of near spans: what the distance is measured from.
	nears []int64
	nodes []nodeSpan
	cutAt int64
}

type holder struct {
	// Name and uid, one behind the other.
	text  string
	scope unique.Handle[scope]
	from  int64
	// never while it lasts.
	to int64
	// From then on it may have lost the place without a sign.
	doubted int64
	nameLen uint16
	kind    Kind
	role    Role
}

// What many holders have in common.
type scope struct {
	namespace   string
	workload    Reference
	hasWorkload bool
	// The namespace is not published, and not told.
	isHidden bool
}

func (h *holder) name() string { return h.text[:h.nameLen] }
func (h *holder) uid() string  { return h.text[h.nameLen:] }

// outcome is what an answer with this one holder says.
func (h *holder) outcome() Outcome {
	if h.scope.Value().isHidden {
		return Hidden
	}
	return Resolved
}

// Orders the holders of several places.
type order struct {
	started, seen, created int64
	ports                  []portRange
	// ports is wider than what the holder has.
	isInexact bool
}

type portRange struct {
	first, last uint16
	protocol    Protocol
}

func (o *order) has(port uint16, protocol Protocol) bool {
	for _, each := range o.ports {
		if each.first <= port && port <= each.last && (protocol == AnyProtocol || protocol == each.protocol) {
			return true
		}
	}
	return false
}

type doubt uint8

const (
	isCertain doubt = iota
	// Its claim begins or ends hereabouts.
	isAtEdge
	isUncertain
)

type spanKind uint8

const (
	// The holders have the place.
	holds spanKind = iota
	// The one holder had it shortly before or after.
	isNear
	// Often given to this node.
	isPresumed
	// No holders: a node has it, and it is not known which.
	isUnknownNode
)

type span struct {
	from, to int64
	// The index of the one holder, or where the holders begin in refs.
	first uint32
	// How many holders there are; at most one when the span is near.
	count uint16
	kind  spanKind
	// Bit 7: there are more holders than listed. The others: the doubt of the one holder.
	bits uint8
}

const hasMoreBit = 0x80

func (s *span) hasMore() bool { return s.bits&hasMoreBit != 0 }

type ref struct {
	holder uint32
	doubt  doubt
}

type nodeSpan struct {
	from, to int64
	names    []string
}

// spanAt returns the span that contains the moment.
func (t *timeline) spanAt(at int64) *span {
	if t.last.from <= at {
		if at < t.last.to {
			return &t.last
		}
		return nil
	}
	if t.more == nil {
		return nil
	}
	spans := t.more.spans
	low, high := 0, len(spans)
	for low < high {
		middle := int(uint(low+high) >> 1)
		if spans[middle].from <= at {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low == 0 || at >= spans[low-1].to {
		return nil
	}
	return &spans[low-1]
}

// namesAt returns the nodes that have the address.
func (t *timeline) namesAt(at int64) []string {
	if t.more == nil {
		return nil
	}
	nodes := t.more.nodes
	for i := len(nodes) - 1; i >= 0; i-- {
		if nodes[i].from <= at {
			if at < nodes[i].to {
				return nodes[i].names
			}
			return nil
		}
	}
	return nil
}

func (t *timeline) cutAt() int64 {
	if t.more == nil {
		return always
	}
	return t.more.cutAt
}

// holderOf returns the holder at this place of the span, best first, and how certain it is.
func (t *timeline) holderOf(s *span, i int) (*holder, uint32, doubt) {
	if s.count == 1 {
		return t.holder(s.first), s.first, doubt(s.bits &^ hasMoreBit)
	}
	r := t.more.refs[int(s.first)+i]
	return t.holder(r.holder), r.holder, r.doubt
}

func (t *timeline) holder(i uint32) *holder {
	if i == 0 {
		return &t.first
	}
	return &t.more.holders[i-1]
}

var noOrder order

func (t *timeline) order(i uint32) *order {
	if t.more == nil || len(t.more.orders) == 0 {
		return &noOrder
	}
	return &t.more.orders[i]
}

// nearOf returns what the distance of a near span is measured from. It stands behind the span's one holder.
func (t *timeline) nearOf(s *span) int64 {
	for i := range t.more.spans {
		if &t.more.spans[i] == s {
			return t.more.nears[i]
		}
	}
	return t.more.nears[len(t.more.spans)]
}

// spanCount returns how many spans there are.
func (t *timeline) spanCount() int {
	count := 0
	if t.last.from < t.last.to {
		count = 1
	}
	if t.more != nil {
		count += len(t.more.spans)
	}
	return count
}

// eachSpan calls each for every span, oldest first.
func (t *timeline) eachSpan(each func(*span)) {
	if t.more != nil {
		for i := range t.more.spans {
			each(&t.more.spans[i])
		}
	}
	if t.last.from < t.last.to {
		each(&t.last)
	}
}

// bytes returns about how much heap the timeline takes, its place in the table included.
func (t *timeline) bytes() int64 {
	size := int(unsafe.Sizeof(*t)) + 18 + len(t.first.text) + len(t.place.node)
	if t.more != nil {
		size += int(unsafe.Sizeof(*t.more)) + len(t.more.holders)*int(unsafe.Sizeof(holder{})) +
			len(t.more.orders)*int(unsafe.Sizeof(order{})) + len(t.more.spans)*int(unsafe.Sizeof(span{})) +
			len(t.more.refs)*int(unsafe.Sizeof(ref{})) + len(t.more.nears)*8 + len(t.more.nodes)*int(unsafe.Sizeof(nodeSpan{}))
		for i := range t.more.holders {
			size += len(t.more.holders[i].text)
		}
		for i := range t.more.orders {
			size += len(t.more.orders[i].ports) * int(unsafe.Sizeof(portRange{}))
		}
		for i := range t.more.nodes {
			for _, name := range t.more.nodes[i].names {
				size += len(name) + int(unsafe.Sizeof(name))
			}
		}
	}
	return int64(size)
}

// isEmpty says that nothing is known of the place.
func isEmptyTimeline(m *diggerv1.AddressTimeline) bool {
	return len(m.GetHolders()) == 0 && len(m.GetSpans()) == 0 && len(m.GetNodes()) == 0 && !m.GetInCluster() &&
		m.CutAtMs == nil && !m.GetKnown()
}

// newTimeline reads a timeline; spans that ended before `since` are left out, and so are holders that no other names.
func newTimeline(p place, m *diggerv1.AddressTimeline, since int64) (*timeline, error) {
	p.isInCluster = m.GetInCluster()
	t := &timeline{place: p}
	b := reading{timeline: t, message: m, kept: make([]uint32, len(m.GetHolders()))}
	for _, s := range m.GetSpans() {
		if s.ToMs == nil || *s.ToMs > since {
			if err := b.add(s); err != nil {
				return nil, err
			}
		}
	}
	for _, n := range m.GetNodes() {
		to := orNever(n.ToMs)
		if to <= since || to <= n.GetFromMs() {
			continue
		}
		b.rest.nodes = append(b.rest.nodes, nodeSpan{from: n.GetFromMs(), to: to, names: n.GetNames()})
	}
	b.rest.cutAt = always
	if m.CutAtMs != nil {
		b.rest.cutAt = *m.CutAtMs
	}
	b.finish()
	return t, nil
}

// reading is a timeline that is being read.
type reading struct {
	timeline *timeline
	message  *diggerv1.AddressTimeline
	rest     rest
	spans    []span
	holders  []holder
	hasNear  bool
	// For each holder of the message: 0, or one more than its index here.
	kept []uint32
}

func (b *reading) add(s *diggerv1.TimelineSpan) error {
	made := span{from: s.GetFromMs(), to: orNever(s.ToMs), kind: holds}
	if made.to <= made.from {
		return nil
	}
	switch {
	case s.GetUnknownNode():
		made.kind = isUnknownNode
	case s.NearMs != nil:
		made.kind = isNear
	case s.GetPresumed():
		made.kind = isPresumed
	}
	near := int64(0)
	if s.NearMs != nil {
		near = *s.NearMs
		b.hasNear = true
	}
	if s.GetMore() {
		made.bits |= hasMoreBit
	}
	if len(s.GetHolders()) > math.MaxUint16 {
		return fmt.Errorf("a span with %d holders", len(s.GetHolders()))
	}
	made.count = uint16(len(s.GetHolders()))
	made.first = uint32(len(b.rest.refs))
	for _, index := range s.GetHolders() {
		holder, err := b.keep(index)
		if err != nil {
			return err
		}
		d := isCertain
		if contains(s.GetUncertain(), index) {
			d = isUncertain
		} else if contains(s.GetAtEdge(), index) {
			d = isAtEdge
		}
		if made.count == 1 {
			made.first = holder
			made.bits |= uint8(d)
		} else {
			b.rest.refs = append(b.rest.refs, ref{holder: holder, doubt: d})
		}
	}
	b.spans = append(b.spans, made)
	b.rest.nears = append(b.rest.nears, near)
	return nil
}

func (b *reading) keep(index uint32) (uint32, error) {
	if int(index) >= len(b.kept) {
		return 0, fmt.Errorf("a span names holder %d of %d", index, len(b.kept))
	}
	if b.kept[index] == 0 {
		m := b.message.GetHolders()[index]
		if len(m.GetName()) > math.MaxUint16 {
			return 0, fmt.Errorf("a holder with a name of %d bytes", len(m.GetName()))
		}
		made, err := newHolder(m)
		if err != nil {
			return 0, err
		}
		b.holders = append(b.holders, made)
		if b.timeline.place.port != 0 || b.timeline.place.kind == ofPorts {
			b.rest.orders = append(b.rest.orders, newOrder(m))
		}
		b.kept[index] = uint32(len(b.holders))
	}
	return b.kept[index] - 1, nil
}

func (b *reading) finish() {
	t := b.timeline
	if len(b.holders) > 0 {
		t.first = b.holders[0]
		if len(b.holders) > 1 {
			b.rest.holders = append([]holder(nil), b.holders[1:]...)
		}
	}
	if n := len(b.spans); n > 0 {
		t.last = b.spans[n-1]
		if n > 1 {
			b.rest.spans = append([]span(nil), b.spans[:n-1]...)
		}
	}
	if !b.hasNear {
		b.rest.nears = nil
	}
	if b.rest.holders == nil && b.rest.orders == nil && b.rest.spans == nil && b.rest.refs == nil &&
		b.rest.nears == nil && b.rest.nodes == nil && b.rest.cutAt == always {
		return
	}
	more := b.rest
	t.more = &more
}

// newHolder fails for a kind or role that this version does not know: to leave the holder out, or to tell it as another,
// would be a wrong answer.
func newHolder(m *diggerv1.TimelineHolder) (holder, error) {
	if kind := m.GetKind(); kind < diggerv1.EntityKind(Pod) || kind > diggerv1.EntityKind(Node) {
		return holder{}, fmt.Errorf("a holder of the unknown kind %d", kind)
	}
	if role := m.GetRole(); role < diggerv1.AddressRole(PodIP) || role > diggerv1.AddressRole(Endpoint) {
		return holder{}, fmt.Errorf("a holder with the unknown role %d", role)
	}
	s := scope{namespace: m.GetNamespace(), isHidden: m.GetHidden()}
	if w := m.GetWorkload(); w != nil {
		s.hasWorkload = true
		s.workload = referenceOf(w)
	}
	return holder{
		text:    m.GetName() + m.GetUid(),
		nameLen: uint16(len(m.GetName())),
		scope:   unique.Make(s),
		from:    m.GetValidFromMs(),
		to:      orNever(m.ValidToMs),
		doubted: orNever(m.DoubtedFromMs),
		kind:    Kind(m.GetKind()),
		role:    Role(m.GetRole()),
	}, nil
}

func newOrder(m *diggerv1.TimelineHolder) order {
	o := order{started: m.GetStartedMs(), seen: m.GetSeenMs(), created: m.GetCreatedMs(), isInexact: m.GetPortsInexact()}
	for _, each := range m.GetPorts() {
		o.ports = append(o.ports, portRange{uint16(min(each.GetFirst(), 65535)), uint16(min(each.GetLast(), 65535)), Protocol(each.GetProtocol())})
	}
	return o
}

func orNever(ms *int64) int64 {
	if ms == nil {
		return never
	}
	return *ms
}

func contains(list []uint32, index uint32) bool {
	for _, each := range list {
		if each == index {
			return true
		}
	}
	return false
}

// newestFirst orders holders of several places; negative when a goes first.
func newestFirst(a *holder, x *order, b *holder, y *order) int {
	return cmp.Or(cmp.Compare(y.started, x.started), cmp.Compare(y.seen, x.seen), cmp.Compare(y.created, x.created),
		cmp.Compare(b.uid(), a.uid()))
}
