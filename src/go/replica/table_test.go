package replica

import (
	"maps"
	"math/rand/v2"
	"testing"
)

type item struct{ key, value int }

// Few bits that differ: collisions, long probes and pages that split several times in a row.
func poorHash(i *item) uint64 { return uint64(i.key%97) << 58 >> 1 * 3 }

func goodHash(i *item) uint64 { return mix(uint64(i.key), 1) }

func TestATableIsAMapOfWhichOldVersionsStay(t *testing.T) {
	for name, hash := range map[string]func(*item) uint64{"good": goodHash, "poor": poorHash} {
		t.Run(name, func(t *testing.T) {
			keys := 3_000
			if name == "poor" {
				// More than a page of one hash cannot be split.
				keys = 150
			}
			random := rand.New(rand.NewPCG(1, 2))
			edition := uint64(1)
			table := newTable(edition, hash)
			model := map[int]int{}
			type version struct {
				table tableOfItems
				model map[int]int
			}
			var versions []version
			for step := range 40_000 {
				key := random.IntN(keys)
				is := func(i *item) bool { return i.key == key }
				if _, isThere := model[key]; random.IntN(3) == 0 {
					old := table.remove(edition, hash(&item{key: key}), is)
					if (old != nil) != isThere || old != nil && old.value != model[key] {
						t.Fatalf("step %d: removed %v of %v", step, old, model[key])
					}
					delete(model, key)
				} else {
					if old := table.put(edition, &item{key, step}, is); (old != nil) != isThere {
						t.Fatalf("step %d: put over %v, there: %v", step, old, isThere)
					}
					model[key] = step
				}
				if step%2_000 == 1_999 {
					versions = append(versions, version{table, maps.Clone(model)})
					edition++
				}
				if step%10_000 == 9_999 {
					table = table.rebuilt(edition)
				}
			}
			for n, v := range versions {
				if v.table.count != len(v.model) {
					t.Fatalf("version %d: count %d, not %d", n, v.table.count, len(v.model))
				}
				for key := range keys {
					value, isThere := v.model[key]
					found := v.table.find(hash(&item{key: key}), func(i *item) bool { return i.key == key })
					if (found != nil) != isThere || found != nil && found.value != value {
						t.Fatalf("version %d: %d is %v, not %v", n, key, found, value)
					}
				}
				seen := map[int]int{}
				v.table.all(func(i *item) bool { seen[i.key] = i.value; return true })
				if !maps.Equal(seen, v.model) {
					t.Fatalf("version %d: all gives %d entries, not %d", n, len(seen), len(v.model))
				}
			}
		})
	}
}

type tableOfItems = table[item]
