package replica

import (
	"net/netip"

	"digger.example/go/diggerv1"
)

// What is true of all places: blind moments above all, at which the cluster was not followed, so that an object may have
// come and gone unheard of. And the ranges of the cluster.

type facts struct {
	began, history, reportDelay   int64
	unknownUntil, incompleteUntil int64
	// Oldest first, closed.
	blind []blindMoment
	// never while every watch is healthy.
	blindSince               int64
	isPartial                bool
	isComplete4, isComplete6 bool
}

type blindMoment struct{ since, until int64 }

func newFacts(m *diggerv1.AddressFacts) *facts {
	f := &facts{
		began: m.GetBeganMs(), history: m.GetHistoryMs(), reportDelay: m.GetReportDelayMs(),
		unknownUntil: m.GetUnknownUntilMs(), incompleteUntil: always, blindSince: orNever(m.BlindSinceMs),
		isPartial: m.GetPartial(), isComplete4: m.GetRangesCompleteIpv4(), isComplete6: m.GetRangesCompleteIpv6(),
	}
	if m.IncompleteUntilMs != nil {
		f.incompleteUntil = *m.IncompleteUntilMs
	}
	for _, each := range m.GetBlind() {
		f.blind = append(f.blind, blindMoment{each.GetSinceMs(), each.GetUntilMs()})
	}
	return f
}

// sight is what a reader knows of blindness: that of the server, and its own when it is cut off (rule 11).
type sight struct {
	*facts
	// The earlier of facts.blindSince and the last word of the server.
	blindSince int64
}

// mayHaveMissed says whether a holder that was there at the moment may have come and gone unheard of.
func (s *sight) mayHaveMissed(at int64) bool {
	if s.blindSince <= at+s.reportDelay {
		return true
	}
	for i := range s.blind {
		if s.blind[i].since <= at+s.reportDelay && s.blind[i].until > at {
			return true
		}
	}
	return false
}

// mayHaveHidden says whether what was there from since on may have changed unseen by until.
func (s *sight) mayHaveHidden(since, until int64) bool {
	if s.unknownUntil >= since || s.blindSince <= until {
		return true
	}
	for i := range s.blind {
		if s.blind[i].since <= until && s.blind[i].until >= since {
			return true
		}
	}
	return false
}

// isDoubted is rule 7, a to d.
func (s *sight) isDoubted(h *holder, d doubt, at int64) bool {
	switch {
	case d == isUncertain:
		return true
	case h.to == never && s.blindSince <= at:
		return true
	case d == isAtEdge && s.mayHaveHidden(at, at):
		return true
	}
	return h.doubted <= at && s.mayHaveHidden(h.doubted, at+s.reportDelay)
}

// ranges are the known ranges of the cluster. A look-up costs one for each length of prefix in use, which are few.
type ranges struct {
	// How many ranges have each length; of IPv4 first, then of IPv6.
	lengths [33 + 129]uint32
	// How many of the texts mean each.
	known map[netip.Prefix]uint32
	// As objects tell them.
	texts   map[string]struct{}
	edition uint64
}

func lengthIndex(p netip.Prefix) int {
	if p.Addr().Is4() {
		return p.Bits()
	}
	return 33 + p.Bits()
}

func (r *ranges) contain(address netip.Addr) bool {
	first, last := 33, 33+128
	if address.Is4() {
		first, last = 0, 32
	}
	for i := first; i <= last; i++ {
		if r.lengths[i] == 0 {
			continue
		}
		prefix, err := address.Prefix(i - first)
		if err == nil && r.known[prefix] > 0 {
			return true
		}
	}
	return false
}
