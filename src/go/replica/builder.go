package replica

import (
	"errors"
	"maps"
	"net/netip"

	"digger.example/go/diggerv1"
)

// Builds the next version of the picture from frames. Nothing that was published changes: what the builder touches after
// `publish` it copies first, so an old version answers on, whole, for as long as somebody holds it.

type builder struct {
	picture
	edition uint64
	limits  Limits
	// Live and former objects are not kept, only what timelines say of them.
	withoutEntities bool
}

// Trimming leaves some room: clocks differ, and history may be asked for up to its last moment.
const trimMargin = 60_000

// newBuilder begins with nothing. An edition is used once: it must be later than any that made a picture kept here.
func newBuilder(edition uint64, limits Limits, withoutEntities bool) *builder {
	b := &builder{edition: edition, limits: limits, withoutEntities: withoutEntities}
	b.picture = picture{
		timelines: newTable(b.edition, hashTimeline),
		names:     newTable(b.edition, hashName),
		uids:      newTable(b.edition, hashUID),
		formers:   newTable(b.edition, hashUID),
		ranges:    &ranges{known: map[netip.Prefix]uint32{}, texts: map[string]struct{}{}, edition: b.edition},
	}
	return b
}

// publish returns the picture as it is now.
func (b *builder) publish() *picture {
	if b.timelines.isSparse() {
		b.timelines = b.timelines.rebuilt(b.edition)
	}
	for _, each := range []*table[entity]{&b.names, &b.uids, &b.formers} {
		if each.isSparse() {
			*each = each.rebuilt(b.edition)
		}
	}
	made := b.picture
	b.edition++
	return &made
}

// apply applies one change. What cannot be understood is left out, and told: the rest of the picture is right.
func (b *builder) apply(c *diggerv1.Change, now int64) {
	switch each := c.GetChange().(type) {
	case *diggerv1.Change_Upsert:
		b.upsert(each.Upsert, false)
	case *diggerv1.Change_Former:
		b.upsert(each.Former, true)
	case *diggerv1.Change_Removal:
		r := each.Removal
		b.removeNamed(entityName{Kind(r.GetKind()), r.GetWorkloadApiVersion(), r.GetWorkloadKind(), r.GetNamespace(), r.GetName()}, r.GetUid())
	case *diggerv1.Change_Forgotten:
		b.removeFormer(each.Forgotten.GetUid())
	case *diggerv1.Change_Timeline:
		b.setTimeline(each.Timeline, now)
	case *diggerv1.Change_Facts:
		b.facts = newFacts(each.Facts)
	default:
		// A later version sends it to those who ask for it; this one did not.
	}
}

func (b *builder) removeFormer(uid string) {
	if old := b.formers.remove(b.edition, hashText(uid), hasUID(uid)); old != nil {
		b.count(old, -1)
	}
}

func hasUID(uid string) func(*entity) bool { return func(e *entity) bool { return e.uid == uid } }

func (b *builder) upsert(m *diggerv1.Entity, isFormer bool) {
	if b.withoutEntities {
		return
	}
	e, err := newEntity(m)
	if errors.Is(err, errUnknownKind) {
		// A later version has more kinds, which no question here asks for.
		return
	}
	if err != nil {
		b.leftOut.unreadable++
		return
	}
	key := e.key()
	var old *entity
	if isFormer {
		old = b.formers.find(hashUID(e), hasUID(e.uid))
	} else {
		old = b.named(key)
	}
	grows, more := e.bytes(), 1
	if old != nil {
		grows -= old.bytes()
		more = 0
	}
	if b.usage.entities+more > b.limits.Entities || grows > 0 && b.usage.bytes+grows > b.limits.Bytes {
		b.leftOut.entities++
		// An old state must not be told as the new one.
		if isFormer {
			b.removeFormer(e.uid)
		} else {
			b.removeNamed(key, "")
		}
		return
	}
	if isFormer {
		b.formers.put(b.edition, e, hasUID(e.uid))
	} else {
		if old != nil && old.uid != e.uid {
			b.uids.remove(b.edition, hashUID(old), func(each *entity) bool { return each == old })
		}
		b.names.put(b.edition, e, key.is)
		b.uids.put(b.edition, e, hasUID(e.uid))
	}
	if old != nil {
		b.count(old, -1)
	}
	b.count(e, 1)
}

// removeNamed takes out the live object of that name, if it is the one with the uid.
func (b *builder) removeNamed(key entityName, uid string) {
	old := b.named(key)
	if old == nil || uid != "" && old.uid != uid {
		return
	}
	b.names.remove(b.edition, key.hash(), key.is)
	b.uids.remove(b.edition, hashUID(old), func(each *entity) bool { return each == old })
	b.count(old, -1)
}

func (b *builder) count(e *entity, by int64) {
	b.usage.entities += int(by)
	b.usage.bytes += by * e.bytes()
}

func (b *builder) setTimeline(m *diggerv1.AddressTimeline, now int64) {
	if text := m.GetPlace().GetRange(); text != "" {
		b.setRange(text, m.GetKnown())
		return
	}
	p, err := placeOf(m.GetPlace())
	if err != nil {
		b.leftOut.unreadable++
		return
	}
	is := func(t *timeline) bool { return t.place.same(&p) }
	if isEmptyTimeline(m) {
		b.forget(&p, is)
		return
	}
	since := int64(always)
	if b.facts != nil {
		since = now - b.facts.history - trimMargin
	}
	t, err := newTimeline(p, m, since)
	if err != nil {
		b.leftOut.unreadable++
		b.forget(&p, is)
		return
	}
	old := b.picture.at(p)
	bytes, spans := t.bytes(), t.spanCount()
	if old != nil {
		bytes -= old.bytes()
		spans -= old.spanCount()
	}
	if bytes > 0 && b.usage.bytes+bytes > b.limits.Bytes || spans > 0 && b.usage.spans+spans > b.limits.Spans {
		// What was known of the place is no longer true.
		b.leftOut.places++
		b.forget(&p, is)
		return
	}
	if b.timelines.put(b.edition, t, is) == nil {
		b.usage.places++
	}
	b.usage.bytes += bytes
	b.usage.spans += spans
}

func (b *builder) forget(p *place, is func(*timeline) bool) {
	old := b.timelines.remove(b.edition, p.hash(), is)
	if old == nil {
		return
	}
	b.usage.places--
	b.usage.bytes -= old.bytes()
	b.usage.spans -= old.spanCount()
}

func (b *builder) setRange(text string, isKnown bool) {
	parsed, err := netip.ParsePrefix(text)
	if err != nil {
		b.leftOut.unreadable++
		return
	}
	// The text of an object may have bits set behind the prefix, and several texts may mean one range.
	prefix := parsed.Masked()
	if _, was := b.ranges.texts[text]; was == isKnown {
		return
	}
	if b.ranges.edition != b.edition {
		copied := *b.ranges
		copied.known, copied.texts = maps.Clone(copied.known), maps.Clone(copied.texts)
		copied.edition = b.edition
		b.ranges = &copied
	}
	r := b.ranges
	if isKnown {
		r.texts[text] = struct{}{}
		r.known[prefix]++
		r.lengths[lengthIndex(prefix)]++
		return
	}
	delete(r.texts, text)
	r.lengths[lengthIndex(prefix)]--
	if r.known[prefix]--; r.known[prefix] == 0 {
		delete(r.known, prefix)
	}
}
