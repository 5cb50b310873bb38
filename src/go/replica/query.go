package replica

import (
	"errors"
	"net/netip"
	"strconv"
	"time"

	"digger.example/go/diggerv1"
)

// Protocol of a port. The numbers are those of digger.v1.Protocol.
type Protocol uint8

const (
	// AnyProtocol in a question: whichever.
	AnyProtocol Protocol = iota
	TCP
	UDP
	SCTP
)

// Outcome is what the picture says about an address at a moment. The numbers are those of digger.v1.Outcome.
type Outcome uint8

const (
	// Resolved: Answer.Holder held the address.
	Resolved Outcome = iota + 1
	// Ambiguous: several held it, or it cannot be known which: Answer.Candidates.
	Ambiguous
	// Unassigned: inside a known range of the cluster, and no object held it then.
	Unassigned
	// External: outside every range of the cluster.
	External
	// Unknown: no holder is known, and the picture is not complete enough to say more.
	Unknown
	// Hidden: an object of a namespace that the server does not publish held the address; of Answer.Holder only the
	// role and the interval are known.
	Hidden
)

// Kind of an object. The numbers are those of digger.v1.EntityKind.
type Kind uint8

const (
	Pod Kind = iota + 1
	Service
	Node
	Workload
	Namespace
)

// Role is how an address is held. The numbers are those of digger.v1.AddressRole.
type Role uint8

const (
	PodIP Role = iota + 1
	HostPort
	HostNetwork
	ClusterIP
	LoadBalancer
	ExternalIP
	NodePort
	NodeAddress
	Endpoint
)

// String returns the name on the wire, without its prefix: RESOLVED.
func (o Outcome) String() string { return enumName(int32(o), diggerv1.Outcome_name, "OUTCOME_") }

// String returns the name on the wire, without its prefix: POD_IP.
func (r Role) String() string { return enumName(int32(r), diggerv1.AddressRole_name, "ADDRESS_ROLE_") }

// String returns the name on the wire, without its prefix: TCP.
func (p Protocol) String() string { return enumName(int32(p), diggerv1.Protocol_name, "PROTOCOL_") }

// String returns the name on the wire, without its prefix: POD.
func (k Kind) String() string { return enumName(int32(k), diggerv1.EntityKind_name, "ENTITY_KIND_") }

func enumName(value int32, names map[int32]string, prefix string) string {
	if name, ok := names[value]; ok {
		return name[len(prefix):]
	}
	return strconv.Itoa(int(value))
}

// Query asks who held an address at a moment, or throughout an interval.
type Query struct {
	// IPv4 or IPv6, without a zone. Required.
	Address netip.Addr
	// 0: any port; then only holders of the whole address answer, and services that share one are ambiguous.
	Port uint16
	// Protocol of the port.
	Protocol Protocol
	// Name of the secondary network that the address is on, as in Pod.networks; empty: the cluster's network. Pods have
	// addresses there as a whole, so that Port and Protocol change nothing.
	PodNetwork string
	// The moment asked about, by the cluster's clocks. Zero, or later than now: now.
	At time.Time
	// The end of an interval that begins with At, both included. Zero: only At.
	Until time.Time
}

// Flow is a connection, or a stretch of one, of which both ends are asked for.
type Flow struct {
	// A port of 0 asks for the whole address. The port of a client says nothing about who it is, unless a pod in a
	// node's network declares it: give 0 for it.
	Source, Destination netip.AddrPort
	Protocol            Protocol
	Start               time.Time
	// Zero: only Start.
	End time.Time
}

// FlowAnswer has the answers for both ends, from the same moment of the picture.
type FlowAnswer struct {
	Source, Destination Answer
}

// Reference points at a Kubernetes object.
type Reference struct {
	// apps/v1.
	APIVersion string
	// Deployment.
	Kind string
	// Empty for cluster-scoped objects.
	Namespace, Name, UID string
	// The object itself is not known to digger, so it may have an owner that is not known either.
	Incomplete bool
	// The object is in a namespace that the server does not publish; all else is empty.
	Hidden bool
}

func referenceOf(m *diggerv1.ObjectReference) Reference {
	return Reference{m.GetApiVersion(), m.GetKind(), m.GetNamespace(), m.GetName(), m.GetUid(), m.GetIncomplete(), m.GetHidden()}
}

var (
	// ErrNotReady: the first picture is not complete yet. It does not mean that the address belongs to no object.
	ErrNotReady = errors.New("replica: the first picture is not complete yet")
	// ErrClosed: Close was called.
	ErrClosed = errors.New("replica: closed")
	// ErrAddress: Query.Address is not set, or has a zone.
	ErrAddress = errors.New("replica: the address is not set, or has a zone: an IPv4 or IPv6 address without zone is wanted")
	// ErrProtocol: Query.Protocol is none of TCP, UDP, SCTP and AnyProtocol.
	ErrProtocol = errors.New("replica: the protocol is none of TCP, UDP, SCTP and AnyProtocol")
	// ErrInterval: Query.Until without Query.At, or before it.
	ErrInterval = errors.New("replica: an interval needs At, and an Until that is not before it")
	// ErrNotFound: there is no such object.
	ErrNotFound = errors.New("replica: no such object")
	// ErrLeftOut: there is no such object here, but some were left out because of Limits or Options.WithoutEntities.
	ErrLeftOut = errors.New("replica: not known: objects were left out")
)
