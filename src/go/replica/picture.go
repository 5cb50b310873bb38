package replica

import (
	"net/netip"
	"time"
)

// One version of the picture, complete and immutable: what all questions are answered from.

type picture struct {
	timelines table[timeline]
	// Live objects by kind and name, and by uid; those that are gone and that timelines still name, by uid.
	names, uids, formers table[entity]
	ranges               *ranges
	facts                *facts
	usage                usage
	leftOut              leftOut
}

// usage is what the picture takes.
type usage struct {
	places, entities, spans int
	bytes                   int64
}

// leftOut counts changes that were not kept since the last snapshot.
type leftOut struct {
	// What they told did not fit the limits.
	places, entities int
	// What they told could not be understood: it comes from a server of another version.
	unreadable int
}

// isIncomplete says that there may be timelines that are not here.
func (l *leftOut) isIncomplete() bool { return l.places > 0 || l.unreadable > 0 }

// ofAddress and at are what table.find does, without a function to call for each entry.
func (p *picture) ofAddress(hi, lo uint64) *timeline {
	hash := hashAddress(hi, lo)
	page := p.timelines.pageOf(hash)
	tag := tagOf(hash)
	for n := hash; ; n++ {
		g := &page.groups[n%groups]
		for i, each := range g.tags {
			if each == tag {
				if t := g.items[i]; t.place.lo == lo && t.place.hi == hi && t.place.kind == ofAddress {
					return t
				}
			}
		}
		if g.passed == 0 {
			return nil
		}
	}
}

func (p *picture) at(wanted place) *timeline {
	hash := wanted.hash()
	page := p.timelines.pageOf(hash)
	tag := tagOf(hash)
	for n := hash; ; n++ {
		g := &page.groups[n%groups]
		for i, each := range g.tags {
			if each == tag && g.items[i].place.same(&wanted) {
				return g.items[i]
			}
		}
		if g.passed == 0 {
			return nil
		}
	}
}

// ofNodePort is the timeline of the port at this address of the node, where that differs, else of the port of the node.
func (p *picture) ofNodePort(node string, hi, lo uint64, port uint16, protocol Protocol) *timeline {
	if t := p.at(place{hi: hi, lo: lo, node: node, port: port, protocol: protocol, kind: ofNodePortAt}); t != nil {
		return t
	}
	return p.at(place{node: node, port: port, protocol: protocol, kind: ofNodePort})
}

// check turns a query into a question; given says that the query names a moment.
func (q *Query) check() (question, error) {
	if !q.Address.IsValid() || q.Address.Zone() != "" {
		return question{}, ErrAddress
	}
	if q.Protocol > SCTP {
		return question{}, ErrProtocol
	}
	if !q.Until.IsZero() && (q.At.IsZero() || q.Until.Before(q.At)) {
		return question{}, ErrInterval
	}
	made := question{address: q.Address.Unmap(), network: q.PodNetwork, port: q.Port, protocol: q.Protocol}
	if made.network != "" {
		made.port, made.protocol = 0, AnyProtocol
	}
	made.hi, made.lo = bitsOf(made.address)
	return made, nil
}

// resolve answers at the moment `now`. heardUntil is the last moment of which the server's word is known; never: now.
func (p *picture) resolve(q *Query, now, heardUntil int64, a *Answer) error {
	checked, err := q.check()
	if err != nil {
		a.Outcome = Unknown
		return err
	}
	r := reader{picture: p, sight: sight{p.facts, min(p.facts.blindSince, heardUntil)}, now: now}
	at := now
	if !q.At.IsZero() {
		at = min(q.At.UnixMilli(), now)
	}
	if q.Until.IsZero() {
		r.answer(&checked, at, !q.At.IsZero(), a)
	} else {
		*a = r.decideThroughout(&checked, at, max(at, min(q.Until.UnixMilli(), now)))
	}
	if r.blindSince < now {
		a.behindMs = now - r.blindSince
	}
	return nil
}

// answer answers for one moment.
func (r *reader) answer(q *question, at int64, isGiven bool, a *Answer) {
	var v verdict
	r.decide(q, at, isGiven, &v)
	a.Outcome, a.LeftOut, a.since, a.at, a.sight = v.outcome, v.leftOut, v.since, at, r.sight
	switch v.count {
	case 0:
	case 1:
		h := v.one.holder
		a.Outcome, a.Holder, a.Uncertain, a.from, a.to = h.outcome(), Holder{h}, v.one.uncertain, h.from, h.to
		r.addOthers(a)
	default:
		list := make([]Candidate, v.count)
		for i := range list {
			f := v.holder(i)
			list[i] = Candidate{Holder{f.holder}, f.uncertain, f.holder.from, f.holder.to}
		}
		a.setCandidates(list)
	}
}

// addOthers notes where the pods stand that could be meant by the address of a node.
func (r *reader) addOthers(a *Answer) {
	if a.Holder.holder.kind == Node {
		a.others = r.at(place{node: a.Holder.holder.name(), kind: ofNode})
	}
}

// setCandidates lists the candidates of an ambiguous answer; of more than an answer lists it says that there are more.
func (a *Answer) setCandidates(list []Candidate) {
	a.Uncertain = true
	for i := range list {
		a.Uncertain = a.Uncertain && list[i].Uncertain
	}
	a.hasMore = len(list) > MaxCandidates
	a.candidates = list[:min(len(list), MaxCandidates)]
}

// end is an end of a flow as a query.
func (f *Flow) end(of netip.AddrPort) Query {
	until := f.End
	if until.Equal(f.Start) {
		until = time.Time{}
	}
	return Query{Address: of.Addr(), Port: of.Port(), Protocol: f.Protocol, At: f.Start, Until: until}
}
