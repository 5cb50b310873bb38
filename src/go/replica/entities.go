package replica

import (
	"errors"
	"hash/maphash"
	"unique"
	"unsafe"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"digger.example/go/diggerv1"
)

// Objects as they are kept: encoded, which takes a fifth of the room of Go values. What many objects have in common,
// labels and annotations, is kept once.

var errUnknownKind = errors.New("a kind of object that this version does not know")

type entity struct {
	kind Kind
	// Of workloads only.
	apiVersion, workloadKind string
	namespace, name, uid     string
	// The encoded object without its labels and annotations.
	base string
	// Labels, annotations and what was omitted of them, encoded.
	tail unique.Handle[string]
}

// Fields of all kinds that go into the tail: labels, annotations, omitted.
var tailFields = map[protoreflect.Name]bool{"labels": true, "annotations": true, "omitted": true}

func newEntity(m *diggerv1.Entity) (*entity, error) {
	e := &entity{}
	var body proto.Message
	switch each := m.GetEntity().(type) {
	case *diggerv1.Entity_Pod:
		p := each.Pod
		e.kind, e.namespace, e.name, e.uid, body = Pod, p.GetNamespace(), p.GetName(), p.GetUid(), p
	case *diggerv1.Entity_Service:
		s := each.Service
		e.kind, e.namespace, e.name, e.uid, body = Service, s.GetNamespace(), s.GetName(), s.GetUid(), s
	case *diggerv1.Entity_Node:
		e.kind, e.name, e.uid, body = Node, each.Node.GetName(), each.Node.GetUid(), each.Node
	case *diggerv1.Entity_Workload:
		w := each.Workload
		e.kind, e.namespace, e.name, e.uid, body = Workload, w.GetNamespace(), w.GetName(), w.GetUid(), w
		e.apiVersion, e.workloadKind = w.GetApiVersion(), w.GetKind()
	case *diggerv1.Entity_Namespace:
		e.kind, e.name, e.uid, body = Namespace, each.Namespace.GetName(), each.Namespace.GetUid(), each.Namespace
	default:
		return nil, errUnknownKind
	}
	// The parts share the values of the message, which stays as it is.
	source := body.ProtoReflect()
	front, tail := source.New(), source.New()
	source.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if tailFields[field.Name()] {
			tail.Set(field, value)
		} else {
			front.Set(field, value)
		}
		return true
	})
	front.SetUnknown(source.GetUnknown())
	inOrder := proto.MarshalOptions{Deterministic: true}
	base, err := inOrder.Marshal(front.Interface())
	if err != nil {
		return nil, err
	}
	rest, err := inOrder.Marshal(tail.Interface())
	if err != nil {
		return nil, err
	}
	e.base, e.tail = string(base), unique.Make(string(rest))
	return e, nil
}

// message returns the whole object, to do with as one likes.
func (e *entity) message() *diggerv1.Entity {
	m := &diggerv1.Entity{}
	var body proto.Message
	switch e.kind {
	case Pod:
		each := &diggerv1.Entity_Pod{Pod: &diggerv1.Pod{}}
		m.Entity, body = each, each.Pod
	case Service:
		each := &diggerv1.Entity_Service{Service: &diggerv1.Service{}}
		m.Entity, body = each, each.Service
	case Node:
		each := &diggerv1.Entity_Node{Node: &diggerv1.Node{}}
		m.Entity, body = each, each.Node
	case Namespace:
		each := &diggerv1.Entity_Namespace{Namespace: &diggerv1.Namespace{}}
		m.Entity, body = each, each.Namespace
	default:
		each := &diggerv1.Entity_Workload{Workload: &diggerv1.Workload{}}
		m.Entity, body = each, each.Workload
	}
	merge := proto.UnmarshalOptions{Merge: true}
	for _, part := range []string{e.base, e.tail.Value()} {
		if err := merge.Unmarshal([]byte(part), body); err != nil {
			// It was encoded here.
			panic(err)
		}
	}
	return m
}

func (e *entity) bytes() int64 {
	return int64(int(unsafe.Sizeof(*e)) + len(e.base) + len(e.namespace) + len(e.name) + len(e.uid) + 2*18)
}

// entityName is the key of a live object; see digger.v1.ChangeFeedService.
type entityName struct {
	kind                     Kind
	apiVersion, workloadKind string
	namespace, name          string
}

func (n *entityName) hash() uint64 {
	h := mix(maphash.String(seed, n.name), uint64(n.kind))
	h = mix(h, maphash.String(seed, n.namespace))
	if n.kind == Workload {
		h = mix(h, maphash.String(seed, n.workloadKind))
		h = mix(h, maphash.String(seed, n.apiVersion))
	}
	return h
}

func (n *entityName) is(e *entity) bool {
	return e.name == n.name && e.namespace == n.namespace && e.kind == n.kind && e.workloadKind == n.workloadKind &&
		e.apiVersion == n.apiVersion
}

func (e *entity) key() entityName {
	return entityName{e.kind, e.apiVersion, e.workloadKind, e.namespace, e.name}
}

func hashName(e *entity) uint64 {
	key := e.key()
	return key.hash()
}

func hashText(text string) uint64 { return mix(maphash.String(seed, text), 0) }

func hashUID(e *entity) uint64 { return hashText(e.uid) }

func hashTimeline(t *timeline) uint64 { return t.place.hash() }

func (p *picture) named(key entityName) *entity {
	return p.names.find(key.hash(), key.is)
}

func (p *picture) byUID(uid string) (e *entity, isFormer bool) {
	hash := hashText(uid)
	if e = p.uids.find(hash, hasUID(uid)); e != nil {
		return e, false
	}
	e = p.formers.find(hash, hasUID(uid))
	return e, e != nil
}
