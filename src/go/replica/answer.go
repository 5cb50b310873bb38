package replica

import "time"

// MaxCandidates is how many candidates an answer lists at most.
const MaxCandidates = 100

// Holder is an object that holds, or held, an address. It stays valid, and the same, as long as it is kept.
type Holder struct{ holder *holder }

// IsZero says that there is no holder.
func (h Holder) IsZero() bool { return h.holder == nil }

// Kind is Pod, Service or Node.
func (h Holder) Kind() Kind { return h.holder.kind }

// Namespace is empty for nodes.
func (h Holder) Namespace() string { return h.holder.scope.Value().namespace }

// Name is the object's name.
func (h Holder) Name() string { return h.holder.name() }

// Hidden says that the object is in a namespace that the server does not publish: it has no namespace, name and workload
// here, and its UID is not the object's.
func (h Holder) Hidden() bool { return h.holder.scope.Value().isHidden }

// UID is the object's uid; Replica.ByUID has the whole object.
func (h Holder) UID() string { return h.holder.uid() }

// Role is how it holds the address. A Service with role Endpoint: the address is one of its external endpoints.
func (h Holder) Role() Role { return h.holder.role }

// Workload is the one workload behind it; false when there is not exactly one.
func (h Holder) Workload() (Reference, bool) {
	s := h.holder.scope.Value()
	return s.workload, s.hasWorkload
}

// Candidate is a possible holder.
type Candidate struct {
	Holder
	// See Answer.Uncertain.
	Uncertain bool
	from, to  int64
}

// ValidFrom is when its claim began; of an answer for an interval, from when on it was among the holders.
func (c Candidate) ValidFrom() time.Time { return timeOf(c.from) }

// ValidTo is the first moment after its claim; zero while it lasts.
func (c Candidate) ValidTo() time.Time { return timeOf(c.to) }

// Answer says who held an address. Read Outcome first.
type Answer struct {
	Outcome Outcome
	// Another object may have held the address; of an Ambiguous answer: every candidate is uncertain.
	Uncertain bool
	// Places were left out because of Limits, and this answer may be one of those that they would change: it is
	// Uncertain or Unknown for that.
	LeftOut bool
	// The holder, when Outcome is Resolved or Hidden.
	Holder Holder

	candidates []Candidate
	hasMore    bool
	from, to   int64
	since      int64
	behindMs   int64
	// Of a node that was resolved: the pods that could be meant too.
	others *timeline
	sight  sight
	at     int64
}

// ValidFrom is when the claim of the holder began; zero unless there is one.
func (a *Answer) ValidFrom() time.Time {
	if a.Holder.IsZero() {
		return time.Time{}
	}
	return timeOf(a.from)
}

// ValidTo is the first moment after the claim; zero while it lasts.
func (a *Answer) ValidTo() time.Time {
	if a.Holder.IsZero() {
		return time.Time{}
	}
	return timeOf(a.to)
}

// HistorySince is how far back this question can be answered.
func (a *Answer) HistorySince() time.Time { return timeOf(a.since) }

// Behind is for how long the cluster, or the server, has not been heard of; 0 while all is well.
func (a *Answer) Behind() time.Duration { return time.Duration(a.behindMs) * time.Millisecond }

// Workload is that of the holder; of several the one that all of them have. False when there is not exactly one.
func (a *Answer) Workload() (Reference, bool) {
	if !a.Holder.IsZero() {
		return published(a.Holder.Workload())
	}
	if len(a.candidates) == 0 || a.hasMore {
		return Reference{}, false
	}
	first, ok := a.candidates[0].Workload()
	for i := 1; ok && i < len(a.candidates); i++ {
		var other Reference
		other, ok = a.candidates[i].Workload()
		ok = ok && other.UID == first.UID
	}
	if !ok {
		return Reference{}, false
	}
	return published(first, true)
}

// published leaves out a workload of which only that it is hidden is known.
func published(w Reference, ok bool) (Reference, bool) {
	if w.Hidden {
		return Reference{}, false
	}
	return w, ok
}

// Candidates are, of an Ambiguous answer, those who may have held the address, best first; of one that is Resolved to a
// node, the pods in the node's network that could be meant too. At most MaxCandidates.
func (a *Answer) Candidates() []Candidate {
	if a.others == nil {
		return a.candidates
	}
	s := a.others.spanAt(a.at)
	if s == nil || s.kind != holds || s.count == 0 {
		return nil
	}
	found := make([]Candidate, min(int(s.count), MaxCandidates))
	for i := range found {
		h, _, d := a.others.holderOf(s, i)
		found[i] = Candidate{Holder{h}, a.sight.isDoubted(h, d, a.at), h.from, h.to}
	}
	return found
}

func timeOf(ms int64) time.Time {
	if ms == never || ms == always {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
