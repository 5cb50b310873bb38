package replica

import (
	"net/netip"
	"slices"
)

// Answers a question about one moment: rules 1 to 9 of proto/digger/v1/timeline.proto, one function for each step.

// One more than an answer lists says that there are others.
const maxFound = MaxCandidates + 1

// question is a checked Query without its moments.
type question struct {
	address netip.Addr
	hi, lo  uint64
	// Of a secondary network; then there is no port.
	network  string
	port     uint16
	protocol Protocol
}

// reader answers from one version of the picture.
type reader struct {
	*picture
	sight
	now int64
}

// found is a holder among those who answer.
type found struct {
	holder    *holder
	order     *order
	doubt     doubt
	uncertain bool
}

// verdict is the answer for a moment.
type verdict struct {
	outcome Outcome
	leftOut bool
	// How far back this question can be answered.
	since int64
	count int
	// The one holder, when there is one.
	one found
	// All of them, best first, when there are several.
	many []found
}

func (v *verdict) holder(i int) *found {
	if v.count == 1 {
		return &v.one
	}
	return &v.many[i]
}

// decide answers for the moment, which is not after now, into an empty verdict. isGiven says that the question named it.
func (r *reader) decide(q *question, at int64, isGiven bool, v *verdict) {
	v.outcome, v.since = Unknown, max(r.began, r.now-r.history)
	if isSpecial(q.address) {
		return
	}
	t := r.timelineOf(q)
	c := choice{distance: never}
	isDoubted := false
	var whole *span
	if t != nil {
		v.since = max(v.since, t.cutAt())
		whole = t.spanAt(at)
	}
	if q.port != 0 {
		if t != nil {
			r.addNodePorts(q, t, at, &c, v)
		}
		isDoubted = r.addPorts(q, at, &c, v)
	}
	if whole != nil {
		c.addWhole(cell{t, whole}, at)
	}
	if isGiven && at < v.since {
		return
	}
	v.count, v.one, v.many = c.count, c.one, c.many
	if c.count == 0 {
		v.outcome = r.withoutHolder(q, t, whole, at)
		if r.leftOut.isIncomplete() {
			v.outcome, v.leftOut = Unknown, true
		}
		return
	}
	v.outcome = Resolved
	if c.count > 1 {
		v.outcome = Ambiguous
	}
	isIncomplete := at <= r.incompleteUntil
	for i := range c.count {
		f := v.holder(i)
		role := f.holder.role
		f.uncertain = isDoubted || r.isDoubted(f.holder, f.doubt, at) ||
			isIncomplete && (q.port != 0 || isCrowded(role))
		// A place that was left out may say that another object has this port.
		if r.leftOut.isIncomplete() && q.port != 0 && role != PodIP && role != ClusterIP {
			f.uncertain, v.leftOut = true, true
		}
	}
	// The node answers for a port because no pod is known to have it, which is not known of moments that were missed.
	if q.port != 0 && c.count == 1 && c.one.holder.kind == Node && (r.isPartial || r.mayHaveMissed(at)) {
		v.one.uncertain = true
	}
}

// timelineOf returns the timeline of the address that is asked about.
func (r *reader) timelineOf(q *question) *timeline {
	if q.network == "" {
		return r.ofAddress(q.hi, q.lo)
	}
	return r.at(place{hi: q.hi, lo: q.lo, node: q.network, kind: ofPodNetwork})
}

// withoutHolder is rule 9.
func (r *reader) withoutHolder(q *question, t *timeline, whole *span, at int64) Outcome {
	switch {
	case whole != nil && whole.kind == isUnknownNode, r.isPartial, at <= r.incompleteUntil, r.mayHaveMissed(at):
		return Unknown
	case t != nil && t.place.isInCluster:
		return Unassigned
	// No range is known of a secondary network.
	case q.network != "":
		return Unknown
	case r.ranges.contain(q.address):
		return Unassigned
	case q.address.Is4() && r.isComplete4, !q.address.Is4() && r.isComplete6:
		return External
	}
	return Unknown
}

// Objects make many of these, so that one of them may be missing.
func isCrowded(role Role) bool {
	return role == LoadBalancer || role == ExternalIP || role == Endpoint || role == NodePort
}

// isSpecial says whether the address means something else on every machine (rule 3).
func isSpecial(a netip.Addr) bool {
	return a.IsUnspecified() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsMulticast() || a == broadcast
}

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

func (q *question) protocols() (first, last Protocol) {
	if q.protocol == AnyProtocol {
		return TCP, SCTP
	}
	return q.protocol, q.protocol
}

// addNodePorts is group A: ports of the nodes that have the address.
func (r *reader) addNodePorts(q *question, t *timeline, at int64, c *choice, v *verdict) {
	names := t.namesAt(at)
	if len(names) == 0 {
		return
	}
	cells := make([]cell, 0, 8)
	first, last := q.protocols()
	for protocol := first; protocol <= last; protocol++ {
		for _, name := range names {
			cells = look(r.ofNodePort(name, q.hi, q.lo, q.port, protocol), at, cells, v)
		}
		cells = look(r.at(place{port: q.port, protocol: protocol, kind: ofEveryNodePort}), at, cells, v)
	}
	c.addGroup(cells, q, at)
}

// addPorts is group B: ports of services that share the address. It says whether there may be more of them.
func (r *reader) addPorts(q *question, at int64, c *choice, v *verdict) bool {
	cells := make([]cell, 0, 4)
	first, last := q.protocols()
	for protocol := first; protocol <= last; protocol++ {
		cells = look(r.at(place{hi: q.hi, lo: q.lo, port: q.port, protocol: protocol, kind: ofPort}), at, cells, v)
	}
	cells = look(r.at(place{hi: q.hi, lo: q.lo, kind: ofPorts}), at, cells, v)
	c.addGroup(cells, q, at)
	return len(cells) > 0 && cells[len(cells)-1].t.place.kind == ofPorts && cells[len(cells)-1].s.hasMore()
}

// look adds the span of the timeline at the moment; history reaches back as far as that of every timeline looked at.
func look(t *timeline, at int64, cells []cell, v *verdict) []cell {
	if t == nil {
		return cells
	}
	v.since = max(v.since, t.cutAt())
	if s := t.spanAt(at); s != nil {
		cells = append(cells, cell{t, s})
	}
	return cells
}

// cell is a span with its timeline.
type cell struct {
	t *timeline
	s *span
}

// countFor returns how many of the holders count: of services with many ports those that have this one.
func (c cell) countFor(q *question) int {
	if c.t.place.kind != ofPorts {
		return int(c.s.count)
	}
	count := 0
	for i := range int(c.s.count) {
		if _, index, _ := c.t.holderOf(c.s, i); c.t.order(index).has(q.port, q.protocol) {
			count++
		}
	}
	return count
}

// appendTo adds those of the holders that count.
func (c cell) appendTo(list []found, q *question) []found {
	for i := range int(c.s.count) {
		h, index, d := c.t.holderOf(c.s, i)
		o := c.t.order(index)
		if c.t.place.kind == ofPorts {
			if !o.has(q.port, q.protocol) {
				continue
			}
			if o.isInexact {
				d = isUncertain
			}
		}
		list = append(list, found{holder: h, order: o, doubt: d})
	}
	return list
}

// choice is what was found so far: the first group with holders decides, then the nearest, then a presumption (rule 5).
type choice struct {
	count int
	one   found
	many  []found
	// Those found are near ones.
	isNear   bool
	distance int64
}

func (c *choice) isDecided() bool { return c.count > 0 && !c.isNear }

func (c *choice) addGroup(cells []cell, q *question, at int64) {
	if c.isDecided() {
		return
	}
	holding, total, only := 0, 0, 0
	for i, each := range cells {
		if each.s.kind != holds {
			continue
		}
		if n := each.countFor(q); n > 0 {
			holding++
			total += n
			only = i
		}
	}
	if holding == 0 {
		// A near one of an earlier group goes before all of later groups.
		if !c.isNear {
			for _, each := range cells {
				c.addNear(each, q, at)
			}
		}
		return
	}
	if holding == 1 {
		c.take(cells[only], q, total)
		return
	}
	list := make([]found, 0, total)
	for _, each := range cells {
		if each.s.kind == holds {
			list = each.appendTo(list, q)
		}
	}
	c.takeAll(merge(list))
}

// addWhole is group C, after all others.
func (c *choice) addWhole(whole cell, at int64) {
	switch {
	case c.isDecided():
	case whole.s.kind == holds && whole.s.count > 0:
		c.take(whole, nil, int(whole.s.count))
	case c.isNear:
	case whole.s.kind == isNear:
		c.addNear(whole, nil, at)
	case whole.s.kind == isPresumed && whole.s.count > 0:
		c.take(whole, nil, int(whole.s.count))
	}
}

func (c *choice) addNear(each cell, q *question, at int64) {
	if each.s.kind != isNear {
		return
	}
	count := each.countFor(q)
	if count == 0 {
		return
	}
	distance := at - each.t.nearOf(each.s)
	if distance < 0 {
		distance = -distance
	}
	if distance > c.distance {
		return
	}
	next := choice{}
	next.take(each, q, count)
	if distance == c.distance && c.count > 0 {
		before, now := c.first(), next.first()
		if newestFirst(before.holder, before.order, now.holder, now.order) <= 0 {
			return
		}
	}
	*c = next
	c.isNear, c.distance = true, distance
}

// first is the best of those that were found.
func (c *choice) first() *found {
	if c.count == 1 {
		return &c.one
	}
	return &c.many[0]
}

// take chooses the holders of one span, of which so many count.
func (c *choice) take(from cell, q *question, count int) {
	if count == 1 && from.t.place.kind != ofPorts {
		h, index, d := from.t.holderOf(from.s, 0)
		c.count, c.one, c.many, c.isNear = 1, found{holder: h, order: from.t.order(index), doubt: d}, nil, false
		return
	}
	c.takeAll(from.appendTo(make([]found, 0, count), q))
}

func (c *choice) takeAll(list []found) {
	list = list[:min(len(list), maxFound)]
	c.count, c.isNear = len(list), false
	if len(list) == 1 {
		c.one, c.many = list[0], nil
	} else {
		c.many = list
	}
}

// merge is rule 6: each uid once, newest first.
func merge(list []found) []found {
	kept := list[:0]
next:
	for _, each := range list {
		for i := range kept {
			if kept[i].holder.uid() == each.holder.uid() {
				if goesBefore(&each, &kept[i]) {
					kept[i] = each
				}
				continue next
			}
		}
		kept = append(kept, each)
	}
	slices.SortStableFunc(kept, func(a, b found) int { return newestFirst(a.holder, a.order, b.holder, b.order) })
	return kept
}

// goesBefore says which of two claims of one object stands for it.
func goesBefore(claim, other *found) bool {
	isBehind, isOtherBehind := claim.holder.role == ExternalIP, other.holder.role == ExternalIP
	if isBehind != isOtherBehind {
		return isOtherBehind
	}
	return newestFirst(claim.holder, claim.order, other.holder, other.order) < 0
}
