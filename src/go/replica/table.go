package replica

// A hash table of which a writer makes versions: readers keep an old version as long as they like while the writer goes
// on with the next. A version shares all pages that did not change, so making one costs the pages that the changes
// touch (2.3 kB each) and the directory (8 bytes for about 140 entries).
//
// Extendible hashing: the top bits of the hash choose the page through the directory, the low ones where to begin in it;
// a page that is full is split and no other. Within a page entries stand in open addressing with linear probing; a tag
// of seven bits beside each keeps a probe from looking at entries of other keys.

const (
	pageSlots = 256
	// Beyond it a page is split: probes stay short, and splits seldom leave pages emptier than a third.
	pageFull = 192
)

type page[T any] struct {
	// The edition of the writer that may change it in place.
	edition uint64
	// How many bits of the hash all entries have in common.
	depth uint
	count int
	// 0: empty; else 0x80 and seven bits of the hash.
	tags  [pageSlots]uint8
	items [pageSlots]*T
}

// A table is a value: a copy of it is a version, as long as its writer takes a new edition after copying.
type table[T any] struct {
	directory []*page[T]
	// Of the directory, as page.edition.
	edition uint64
	depth   uint
	count   int
	hash    func(*T) uint64
}

func newTable[T any](edition uint64, hash func(*T) uint64) table[T] {
	return table[T]{directory: []*page[T]{{edition: edition}}, edition: edition, hash: hash}
}

func (t *table[T]) pageOf(hash uint64) *page[T] {
	// A shift by 64 gives 0.
	return t.directory[hash>>(64-t.depth)]
}

func tagOf(hash uint64) uint8 { return uint8(hash>>8) | 0x80 }

// find returns the entry with this hash that is the one.
func (t *table[T]) find(hash uint64, is func(*T) bool) *T {
	p := t.pageOf(hash)
	tag := tagOf(hash)
	for i := hash % pageSlots; p.tags[i] != 0; i = (i + 1) % pageSlots {
		if p.tags[i] == tag && is(p.items[i]) {
			return p.items[i]
		}
	}
	return nil
}

// put adds the item in place of the entry that is the same, which it returns.
func (t *table[T]) put(edition uint64, item *T, is func(*T) bool) *T {
	hash := t.hash(item)
	for {
		p := t.own(edition, hash)
		tag := tagOf(hash)
		i := hash % pageSlots
		for ; p.tags[i] != 0; i = (i + 1) % pageSlots {
			if p.tags[i] == tag && is(p.items[i]) {
				old := p.items[i]
				p.items[i] = item
				return old
			}
		}
		if p.count < pageFull {
			p.tags[i], p.items[i] = tag, item
			p.count++
			t.count++
			return nil
		}
		t.split(edition, hash)
	}
}

// remove takes the entry that is the one out and returns it.
func (t *table[T]) remove(edition uint64, hash uint64, is func(*T) bool) *T {
	if t.find(hash, is) == nil {
		return nil
	}
	p := t.own(edition, hash)
	i := hash % pageSlots
	for tag := tagOf(hash); p.tags[i] != tag || !is(p.items[i]); {
		i = (i + 1) % pageSlots
	}
	old := p.items[i]
	p.tags[i], p.items[i] = 0, nil
	p.count--
	t.count--
	// Those behind it may stand where they are only because it was there.
	for j := (i + 1) % pageSlots; p.tags[j] != 0; j = (j + 1) % pageSlots {
		wanted := t.hash(p.items[j]) % pageSlots
		if (j-wanted)%pageSlots >= (j-i)%pageSlots {
			p.tags[i], p.items[i] = p.tags[j], p.items[j]
			p.tags[j], p.items[j] = 0, nil
			i = j
		}
	}
	return old
}

// all calls each for every entry until it returns false.
func (t *table[T]) all(each func(*T) bool) {
	for i, p := range t.directory {
		// A page of fewer bits stands in the directory several times in a row.
		if i > 0 && t.directory[i-1] == p {
			continue
		}
		for slot, tag := range p.tags {
			if tag != 0 && !each(p.items[slot]) {
				return
			}
		}
	}
}

// isSparse says that rebuilding would free most of the pages.
func (t *table[T]) isSparse() bool {
	return len(t.directory) >= 64 && t.count < len(t.directory)*pageSlots/32
}

// rebuilt returns the same entries in as few pages as they need.
func (t *table[T]) rebuilt(edition uint64) table[T] {
	next := newTable(edition, t.hash)
	never := func(*T) bool { return false }
	t.all(func(item *T) bool {
		next.put(edition, item, never)
		return true
	})
	return next
}

// own returns the page of the hash, as one that this edition may change.
func (t *table[T]) own(edition, hash uint64) *page[T] {
	p := t.pageOf(hash)
	if p.edition == edition {
		return p
	}
	next := *p
	next.edition = edition
	t.place(edition, hash, &next, p.depth)
	return &next
}

// place puts the page into all of its places in the directory.
func (t *table[T]) place(edition, hash uint64, p *page[T], depth uint) {
	if t.edition != edition {
		t.directory = append([]*page[T](nil), t.directory...)
		t.edition = edition
	}
	span := uint64(1) << (t.depth - depth)
	first := hash >> (64 - t.depth) / span * span
	for i := first; i < first+span; i++ {
		t.directory[i] = p
	}
}

// split divides the page of the hash by one more bit.
func (t *table[T]) split(edition, hash uint64) {
	p := t.own(edition, hash)
	if p.depth == t.depth {
		doubled := make([]*page[T], 2*len(t.directory))
		for i, each := range t.directory {
			doubled[2*i], doubled[2*i+1] = each, each
		}
		t.directory, t.edition = doubled, edition
		t.depth++
	}
	depth := p.depth + 1
	halves := [2]*page[T]{{edition: edition, depth: depth}, {edition: edition, depth: depth}}
	for slot, tag := range p.tags {
		if tag == 0 {
			continue
		}
		item := p.items[slot]
		h := t.hash(item)
		half := halves[h>>(64-depth)&1]
		i := h % pageSlots
		for half.tags[i] != 0 {
			i = (i + 1) % pageSlots
		}
		half.tags[i], half.items[i] = tag, item
		half.count++
	}
	bit := uint64(1) << (64 - depth)
	t.place(edition, hash&^bit, halves[0], depth)
	t.place(edition, hash|bit, halves[1], depth)
}
