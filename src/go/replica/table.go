package replica

// A hash table of which a writer makes versions: readers keep an old version as long as they like while the writer goes
// on with the next. A version shares all pages that did not change, so making one costs the pages that the changes
// touch (2.3 kB each) and the directory (8 bytes for about 120 entries).
//
// Extendible hashing: the top bits of the hash choose the page through the directory, the low ones the group in it where
// to begin; a page that is full is split and no other. A group is one cache line: seven entries, for each a tag of seven
// bits of its hash, which keeps a probe from looking at entries of other keys, and how many entries had to go beyond the
// group, so that a probe knows where to end and nothing has to move when an entry goes (as in F14 of folly).

const (
	groupSize = 7
	groups    = 32
	// Beyond it a page is split: three quarters full, few entries stand outside of their group.
	pageFull = groups * groupSize * 3 / 4
)

type group[T any] struct {
	// 0: empty; else 0x80 and seven bits of the hash.
	tags [groupSize]uint8
	// How many entries passed this group on the way to their place.
	passed uint8
	items  [groupSize]*T
}

type page[T any] struct {
	// First, so that they begin with a cache line.
	groups [groups]group[T]
	// The edition of the writer that may change it in place.
	edition uint64
	// How many bits of the hash all entries have in common.
	depth uint8
	count uint8
}

// A table is a value: a copy of it is a version, as long as its writer takes a new edition after copying.
type table[T any] struct {
	directory []*page[T]
	// Of the directory, as page.edition.
	edition uint64
	depth   uint8
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
	if g, i := t.pageOf(hash).slotOf(hash, is); g != nil {
		return g.items[i]
	}
	return nil
}

// slotOf returns where the entry stands; nil when it is not there.
func (p *page[T]) slotOf(hash uint64, is func(*T) bool) (*group[T], int) {
	tag := tagOf(hash)
	for n := hash; ; n++ {
		g := &p.groups[n%groups]
		for i, each := range g.tags {
			if each == tag && is(g.items[i]) {
				return g, i
			}
		}
		if g.passed == 0 {
			return nil, 0
		}
	}
}

// put adds the item in place of the entry that is the same, which it returns.
func (t *table[T]) put(edition uint64, item *T, is func(*T) bool) *T {
	hash := t.hash(item)
	for {
		p := t.own(edition, hash)
		if g, i := p.slotOf(hash, is); g != nil {
			old := g.items[i]
			g.items[i] = item
			return old
		}
		if p.count < pageFull {
			p.add(hash, item)
			t.count++
			return nil
		}
		t.split(edition, hash)
	}
}

// add puts the item, which is not there, into the first empty slot.
func (p *page[T]) add(hash uint64, item *T) {
	for n := hash; ; n++ {
		g := &p.groups[n%groups]
		for i, each := range g.tags {
			if each == 0 {
				g.tags[i], g.items[i] = tagOf(hash), item
				p.count++
				return
			}
		}
		g.passed++
	}
}

// remove takes the entry that is the one out and returns it.
func (t *table[T]) remove(edition uint64, hash uint64, is func(*T) bool) *T {
	if t.find(hash, is) == nil {
		return nil
	}
	p := t.own(edition, hash)
	at, i := p.slotOf(hash, is)
	for n := hash; &p.groups[n%groups] != at; n++ {
		p.groups[n%groups].passed--
	}
	old := at.items[i]
	at.tags[i], at.items[i] = 0, nil
	p.count--
	t.count--
	return old
}

// all calls each for every entry until it returns false.
func (t *table[T]) all(each func(*T) bool) {
	for i, p := range t.directory {
		// A page of fewer bits stands in the directory several times in a row.
		if i > 0 && t.directory[i-1] == p {
			continue
		}
		for n := range p.groups {
			for _, item := range p.groups[n].items {
				if item != nil && !each(item) {
					return
				}
			}
		}
	}
}

// isSparse says that rebuilding would free most of the pages.
func (t *table[T]) isSparse() bool {
	return len(t.directory) >= 64 && t.count < len(t.directory)*pageFull/32
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
func (t *table[T]) place(edition, hash uint64, p *page[T], depth uint8) {
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
	for n := range p.groups {
		for _, item := range p.groups[n].items {
			if item != nil {
				h := t.hash(item)
				halves[h>>(64-depth)&1].add(h, item)
			}
		}
	}
	bit := uint64(1) << (64 - depth)
	t.place(edition, hash&^bit, halves[0], depth)
	t.place(edition, hash|bit, halves[1], depth)
}
