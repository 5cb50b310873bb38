package replica

import (
	"cmp"
	"slices"
)

// Answers a question about a whole interval (rule 10): asks at every moment at which the answer can change.

// stretch is a part of an interval with one answer.
type stretch struct {
	from int64
	// The first moment after it.
	until int64
	verdict
}

// Of more moments only the newest are asked, and then no answer is certain.
const maxMoments = 256

// decideThroughout answers for all moments from first to last, both included and not after now.
func (r *reader) decideThroughout(q *question, first, last int64) Answer {
	moments := r.momentsOf(q, first, last)
	isCut := moments[0] > first
	stretches := make([]stretch, len(moments))
	held := 0
	a := Answer{since: always, at: last, sight: r.sight}
	var oldest, newest *stretch
	isOne, isUncertain, isUnknown := true, isCut, isCut
	for i, at := range moments {
		s := &stretches[i]
		s.from, s.until = at, last+1
		if i+1 < len(moments) {
			s.until = moments[i+1]
		}
		r.decide(q, at, true, &s.verdict)
		a.since = max(a.since, s.since)
		a.LeftOut = a.LeftOut || s.leftOut
		if s.count == 0 {
			isUnknown = isUnknown || s.outcome == Unknown || s.outcome != stretches[0].outcome
			continue
		}
		held++
		newest = s
		if oldest == nil {
			oldest = s
		}
		isOne = isOne && s.count == 1 && isSame(&s.one, &oldest.one)
		isUncertain = isUncertain || s.count == 1 && s.one.uncertain
	}
	switch {
	case held == 0 && isUnknown:
		a.Outcome = Unknown
	case held == 0:
		a.Outcome = stretches[0].outcome
	case isOne:
		a.Outcome = newest.one.holder.outcome()
		a.Uncertain = isUncertain || held < len(stretches)
		a.Holder = Holder{newest.one.holder}
		a.from, a.to = oldest.one.holder.from, newest.one.holder.to
		r.addOthers(&a)
	default:
		a.Outcome = Ambiguous
		runs := runsOf(stretches, last)
		for i := range runs {
			runs[i].Uncertain = runs[i].Uncertain || isCut
		}
		a.setCandidates(runs)
	}
	return a
}

func isSame(a, b *found) bool {
	return a.holder.role == b.holder.role && a.holder.uid() == b.holder.uid()
}

// momentsOf returns the first moment, and every later one at which the answer may be another than before it.
func (r *reader) momentsOf(q *question, first, last int64) []int64 {
	moments := make([]int64, 1, 64)
	moments[0] = first
	add := func(ms int64) {
		if first < ms && ms <= last {
			moments = append(moments, ms)
		}
	}
	// It returns the near spans too, after those that it was given.
	addTimeline := func(t *timeline, nears []nearSpan) []nearSpan {
		if t == nil {
			return nears
		}
		add(t.cutAt())
		t.eachSpan(func(s *span) {
			if s.to <= first || s.from > last {
				return
			}
			if s.kind == isNear && (cell{t, s}).countFor(q) > 0 {
				nears = append(nears, nearSpan{s.from, s.to, t.nearOf(s)})
			}
			add(s.from)
			add(s.to)
			for i := range int(s.count) {
				h, _, _ := t.holderOf(s, i)
				add(h.doubted)
			}
		})
		return nears
	}
	t := r.timelineOf(q)
	addTimeline(t, nil)
	if q.port != 0 {
		from, to := q.protocols()
		var names []string
		if t != nil && t.more != nil {
			for _, n := range t.more.nodes {
				if n.to <= first || n.from > last {
					continue
				}
				add(n.from)
				add(n.to)
				for _, name := range n.names {
					if !slices.Contains(names, name) {
						names = append(names, name)
					}
				}
			}
		}
		var ofNodes, ofAddress []nearSpan
		for protocol := from; protocol <= to; protocol++ {
			for _, name := range names {
				ofNodes = addTimeline(r.ofNodePort(name, q.hi, q.lo, q.port, protocol), ofNodes)
			}
			if len(names) > 0 {
				ofNodes = addTimeline(r.at(place{port: q.port, protocol: protocol, kind: ofEveryNodePort}), ofNodes)
			}
			ofAddress = addTimeline(r.at(place{hi: q.hi, lo: q.lo, port: q.port, protocol: protocol, kind: ofPort}), ofAddress)
		}
		ofAddress = addTimeline(r.at(place{hi: q.hi, lo: q.lo, kind: ofPorts}), ofAddress)
		eachTurn(ofNodes, add)
		eachTurn(ofAddress, add)
	}
	for _, gap := range r.blind {
		for _, ms := range [...]int64{gap.since - r.reportDelay, gap.since, gap.until, gap.until + 1} {
			add(ms)
		}
	}
	if r.blindSince != never {
		add(r.blindSince - r.reportDelay)
		add(r.blindSince)
	}
	add(r.unknownUntil + 1)
	if r.incompleteUntil != always {
		add(r.incompleteUntil + 1)
	}
	add(max(r.began, r.now-r.history))
	slices.Sort(moments)
	moments = slices.Compact(moments)
	return moments[max(0, len(moments)-maxMoments):]
}

type nearSpan struct{ from, to, near int64 }

// eachTurn calls add with the moments at which another one of the near spans of a group becomes the nearest: of two that
// overlap, as soon as the later one is as near as the earlier, and as soon as it is nearer.
func eachTurn(nears []nearSpan, add func(ms int64)) {
	slices.SortStableFunc(nears, func(a, b nearSpan) int { return cmp.Compare(a.from, b.from) })
	for i, a := range nears {
		// Those of one timeline do not overlap: each of the few timelines has few spans that overlap this one.
		for _, b := range nears[i+1:] {
			if b.from >= a.to {
				break
			}
			if a.near == b.near {
				continue
			}
			sum := a.near + b.near
			for _, ms := range [...]int64{(sum + 1) >> 1, sum>>1 + 1} {
				if b.from < ms && ms < min(a.to, b.to) {
					add(ms)
				}
			}
		}
	}
}

// run is an unbroken part of the interval in which an object is among the holders, in one role.
type run struct {
	Candidate
	order int
	isNow bool
}

// runsOf returns them, the later begun first, those that begin together in the order of their first moment.
func runsOf(stretches []stretch, last int64) []Candidate {
	var done, open []run
	for i := range stretches {
		s := &stretches[i]
		var next []run
		for n := range s.count {
			f := s.holder(n)
			made := run{Candidate{Holder{f.holder}, f.uncertain, s.from, min(s.until, last)}, n, true}
			for j := range open {
				before := &open[j]
				if before.isNow && before.holder.role == f.holder.role && before.holder.uid() == f.holder.uid() {
					made.from, made.order = before.from, before.order
					made.Uncertain = made.Uncertain || before.Uncertain
					before.isNow = false
					break
				}
			}
			next = append(next, made)
		}
		for _, each := range open {
			if each.isNow {
				done = append(done, each)
			}
		}
		open = next
	}
	done = append(done, open...)
	slices.SortStableFunc(done, func(a, b run) int {
		if a.from != b.from {
			if a.from > b.from {
				return -1
			}
			return 1
		}
		return a.order - b.order
	})
	list := make([]Candidate, min(len(done), maxFound))
	for i := range list {
		list[i] = done[i].Candidate
	}
	return list
}
