// Who held which address, as data: what a consumer needs to answer for itself what ResolveAddress answers.
//
// A subscription with `WatchRequest.timelines` carries one `AddressTimeline` for each place, whole and idempotent, and
// `AddressFacts`, which are true of all places. All moments are whole milliseconds since the epoch, by the server's
// clock; every interval contains its `from` and not its `to`.
//
// THE RULES: how any language answers (address, port or none, protocol or none, at) from this data alone. They are
// explained in docs/timelines.md.
//
//  1. Moment. Cut `at` to the millisecond. Without `at`, or when it is later than now, `at` is now.
//     A question about a secondary network (docs/timelines.md) has neither port nor protocol, and T is the timeline of
//     {address, pod_network}; no other timeline is looked at, and in rule 9 no range is.
//  2. Too old. Let T be the timeline of {address}. history_since is the latest of `facts.began_ms`, now -
//     `facts.history_ms`, and `cut_at_ms` of T and of every timeline that rule 4 looks at. When `at` was given and is
//     before it: UNKNOWN.
//  3. Addresses of no cluster: unspecified, loopback (127/8, ::1), link-local (169.254/16, fe80::/10), multicast
//     (224/4, ff00::/8) and 255.255.255.255: UNKNOWN.
//  4. Gather the spans that contain `at`, in three groups, in this order:
//      A (only with a port, and only when the span of T's `nodes` at `at` has names): for each of the names the
//        timeline of {node, address, port, protocol} if there is one, else of {node, port, protocol}; and that of
//        {port, protocol}.
//      B (only with a port): the timeline of {address, port, protocol}; and of {address, many_ports}, of whose span
//        only those holders count whose `ports` contain the port and the protocol. (A span without such a holder
//        counts as none.)
//      C: the timeline of {address}.
//     Without a protocol "of {…, protocol}" means the timelines of TCP, UDP and SCTP: in A for TCP those of all names
//     and of {port, protocol}, then for UDP, then for SCTP; in B those of TCP, UDP and SCTP before that of many ports.
//  5. Choose. The first group with a span that is neither `near` nor `presumed` and has holders: the holders of all its
//     spans that are so. When no group has one: the first group with a `near` span with holders; of several the one
//     whose `near_ms` is nearest to `at`, of equally near ones the one whose first holder is the newest, else the one
//     that was gathered first. Else the `presumed` span of C. Else there is no holder: rule 9.
//  6. Order. The holders of one span are in order already. Of those of several spans each uid counts once: one that is
//     no EXTERNAL_IP goes before one that is, else the newer one, else the one that was gathered first. Then they are
//     sorted, newest first: by `started_ms`, `seen_ms`, `created_ms`, `uid` (as bytes), the larger first. At the end
//     more than 101, of one span too, are cut to 101 (of which answers list 100).
//  7. Doubt. A blind moment is one of `facts.blind`, or [facts.blind_since_ms, ∞) where that is set. A holder is
//     uncertain when one of these is true:
//      a. the span lists it in `uncertain`; or `ports_inexact` is set and it was found by them;
//      b. it has no `valid_to_ms`, and `facts.blind_since_ms` is set and not after `at`;
//      c. the span lists it in `at_edge`, and `facts.unknown_until_ms` >= at, or there is a blind moment with
//         since <= at and until >= at;
//      d. it has `doubted_from_ms` = d <= at, and `facts.unknown_until_ms` >= d, or there is a blind moment with
//         since <= at + facts.report_delay_ms and until >= d;
//      e. at <= `facts.incomplete_until_ms`, and the question has a port or the role is LOAD_BALANCER, EXTERNAL_IP,
//         ENDPOINT or NODE_PORT;
//      f. it is the only holder, a node, the question has a port, and `facts.partial` is set or `at` was missed: there
//         is a blind moment with since <= at + facts.report_delay_ms and until > at;
//      g. the question has a port, and a span of {address, many_ports} at `at` has `more`.
//  8. Outcome. One holder: RESOLVED, or HIDDEN where it is `hidden`. Several: AMBIGUOUS, in that order; uncertain as a whole when all are, the 101st
//     too. Only for a RESOLVED node: the holders of the span of {node} at `at`, where node is its name, are the pods
//     that could be meant too (`candidates`), unless that is `near` or `presumed`; for their doubt a to d count, at
//     most 100 are told. The workload is that of the one holder; of several the one that all have (by uid), unless one
//     has none or there are more than 100. One that is `hidden` is told of candidates only, and counts as none else.
//  9. No holder. The span of T at `at` has `unknown_node`, or `facts.partial` is set, or `at` was missed (f), or
//     at <= facts.incomplete_until_ms: UNKNOWN. Else, T has `in_cluster`, or a known range contains the address:
//     UNASSIGNED. Else, `facts.ranges_complete_ipv4` (or `…_ipv6`, by the address): EXTERNAL. Else UNKNOWN.
// 10. A whole interval [at, until], both included, `until` at most now, at <= until. Looked at are the timelines of
//     rule 4, for the names of all spans of T's `nodes` that have a moment in the interval; of each the spans that have
//     one. The answer can change only at: the from and to of these spans, those of `nodes` included (with a port);
//     `doubted_from_ms` of one of their holders, whatever its ports; of two `near` spans with holders in one group,
//     with unequal near_ms, the first moment at which the later near_ms is as near as the earlier, and the first at
//     which it is nearer, where both spans contain it; since - report_delay, since, until, until + 1 of each blind
//     moment (blind_since_ms: without the last two); unknown_until + 1; incomplete_until + 1; the `cut_at_ms` of these
//     timelines; now - history or began, whichever is later. So ask at each of these in the interval, and at `at`,
//     oldest first; of more than 256 at the newest 256 only, and then no answer is certain: without a holder it is
//     UNKNOWN, RESOLVED is uncertain, and so is every candidate. history_since is the latest of those of the moments.
//     No moment has a holder: UNKNOWN if one says so, else what all say. Every moment that has a holder is RESOLVED, to
//     the same uid and role: RESOLVED (or HIDDEN), with the holder and the workload of the last one, from the first one's
//     valid_from to the last one's valid_to; uncertain when one of the moments is, or has no holder; the pods that
//     could be meant by a node are those at `until`. Else AMBIGUOUS: a candidate for each run, that is a stretch
//     without a break in which (uid, role) is among the holders; its interval is that stretch, cut to [at, until], all
//     else is that of its last moment; uncertain when one of its moments is. The later begun first; of those that begin
//     together as they are ordered at that moment. More than 101 are cut to 101.
// 11. Not connected. From the last frame on (`Progress` included) until the next picture is complete, a consumer knows
//     no more than a server whose watches are down: it takes the moment when that frame came, by its own clock as
//     `Progress.server_time` corrects it, as `blind_since_ms` when that is earlier, once it is longer ago than the
//     silence that it allows, and says how old its picture is. It asks for a heartbeat that is shorter than that
//     silence, so that one that is a little late is no gap. A frame that says that it is older than it seems
//     (`Progress.server_time`) counts from then on. Where a stream goes on from a token, and its changes go into the
//     picture that answers one by one, that is a mixture of two pictures until `Synced`: the moment is then before all
//     others.

// Code generated by protoc-gen-go. DO NOT EDIT.
// versions:
// 	protoc-gen-go v1.36.12
// 	protoc        (unknown)
// source: digger/v1/timeline.proto

package diggerv1

import (
	protoreflect "google.golang.org/protobuf/reflect/protoreflect"
	protoimpl "google.golang.org/protobuf/runtime/protoimpl"
	reflect "reflect"
	sync "sync"
	unsafe "unsafe"
)

const (
	// Verify that this generated code is sufficiently up-to-date.
	_ = protoimpl.EnforceVersion(20 - protoimpl.MinVersion)
	// Verify that runtime/protoimpl is sufficiently up-to-date.
	_ = protoimpl.EnforceVersion(protoimpl.MaxVersion - 20)
)

// What a timeline is of. Fields that are not named are unset:
//
//	address                            an address, as a whole
//	address, port, protocol            services with that port of an address (load balancers, external addresses)
//	address, many_ports                the same for services with more than 16 ports
//	node, port, protocol               a port of a node, at every address of the node
//	node, address, port, protocol      the same at one of its addresses, where that differs
//	port, protocol                     a port of every node
//	node                               the pods in the network of a node
//	range                              a range of addresses of the cluster: while the timeline is there it is known
//	address, pod_network               an address on a secondary network (only with `WatchRequest.pod_networks`)
type TimelinePlace struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// Canonical form.
	Address string `protobuf:"bytes,1,opt,name=address,proto3" json:"address,omitempty"`
	// Name of a node.
	Node string `protobuf:"bytes,2,opt,name=node,proto3" json:"node,omitempty"`
	// 1–65535; 0: none.
	Port uint32 `protobuf:"varint,3,opt,name=port,proto3" json:"port,omitempty"`
	// TCP, UDP or SCTP where there is a port.
	Protocol Protocol `protobuf:"varint,4,opt,name=protocol,proto3,enum=digger.v1.Protocol" json:"protocol,omitempty"`
	// Services with more ports than get timelines of their own.
	ManyPorts bool `protobuf:"varint,5,opt,name=many_ports,json=manyPorts,proto3" json:"many_ports,omitempty"`
	// `10.244.1.0/24`, `fd00:1::/64`; the text of the object that tells it, so bits behind the prefix may be set.
	Range string `protobuf:"bytes,6,opt,name=range,proto3" json:"range,omitempty"`
	// Name of a secondary network, as in `Pod.networks`. Who asked for such timelines must not take the address for one of
	// the cluster's network.
	PodNetwork    string `protobuf:"bytes,7,opt,name=pod_network,json=podNetwork,proto3" json:"pod_network,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *TimelinePlace) Reset() {
	*x = TimelinePlace{}
	mi := &file_digger_v1_timeline_proto_msgTypes[0]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *TimelinePlace) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*TimelinePlace) ProtoMessage() {}

func (x *TimelinePlace) ProtoReflect() protoreflect.Message {
	mi := &file_digger_v1_timeline_proto_msgTypes[0]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use TimelinePlace.ProtoReflect.Descriptor instead.
func (*TimelinePlace) Descriptor() ([]byte, []int) {
	return file_digger_v1_timeline_proto_rawDescGZIP(), []int{0}
}

func (x *TimelinePlace) GetAddress() string {
	if x != nil {
		return x.Address
	}
	return ""
}

func (x *TimelinePlace) GetNode() string {
	if x != nil {
		return x.Node
	}
	return ""
}

func (x *TimelinePlace) GetPort() uint32 {
	if x != nil {
		return x.Port
	}
	return 0
}

func (x *TimelinePlace) GetProtocol() Protocol {
	if x != nil {
		return x.Protocol
	}
	return Protocol_PROTOCOL_UNSPECIFIED
}

func (x *TimelinePlace) GetManyPorts() bool {
	if x != nil {
		return x.ManyPorts
	}
	return false
}

func (x *TimelinePlace) GetRange() string {
	if x != nil {
		return x.Range
	}
	return ""
}

func (x *TimelinePlace) GetPodNetwork() string {
	if x != nil {
		return x.PodNetwork
	}
	return ""
}

// Ports, both ends included.
type PortRange struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// 1–65535.
	First uint32 `protobuf:"varint,1,opt,name=first,proto3" json:"first,omitempty"`
	// 1–65535.
	Last uint32 `protobuf:"varint,2,opt,name=last,proto3" json:"last,omitempty"`
	// TCP, UDP or SCTP.
	Protocol      Protocol `protobuf:"varint,3,opt,name=protocol,proto3,enum=digger.v1.Protocol" json:"protocol,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *PortRange) Reset() {
	*x = PortRange{}
	mi := &file_digger_v1_timeline_proto_msgTypes[1]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *PortRange) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*PortRange) ProtoMessage() {}

func (x *PortRange) ProtoReflect() protoreflect.Message {
	mi := &file_digger_v1_timeline_proto_msgTypes[1]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use PortRange.ProtoReflect.Descriptor instead.
func (*PortRange) Descriptor() ([]byte, []int) {
	return file_digger_v1_timeline_proto_rawDescGZIP(), []int{1}
}

func (x *PortRange) GetFirst() uint32 {
	if x != nil {
		return x.First
	}
	return 0
}

func (x *PortRange) GetLast() uint32 {
	if x != nil {
		return x.Last
	}
	return 0
}

func (x *PortRange) GetProtocol() Protocol {
	if x != nil {
		return x.Protocol
	}
	return Protocol_PROTOCOL_UNSPECIFIED
}

// An object that holds the place in some of the spans: one claim.
type TimelineHolder struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// POD, SERVICE or NODE.
	Kind EntityKind `protobuf:"varint,1,opt,name=kind,proto3,enum=digger.v1.EntityKind" json:"kind,omitempty"`
	// Empty for nodes.
	Namespace string `protobuf:"bytes,2,opt,name=namespace,proto3" json:"namespace,omitempty"`
	// Object name.
	Name string `protobuf:"bytes,3,opt,name=name,proto3" json:"name,omitempty"`
	// Object uid; of a `hidden` one what tells it apart from others, and is no uid.
	Uid string `protobuf:"bytes,4,opt,name=uid,proto3" json:"uid,omitempty"`
	// How it holds the place. ENDPOINT with kind SERVICE: the target is an ExternalEndpoint of that service.
	Role AddressRole `protobuf:"varint,5,opt,name=role,proto3,enum=digger.v1.AddressRole" json:"role,omitempty"`
	// Start of the claim, as in Candidate.
	ValidFromMs int64 `protobuf:"varint,6,opt,name=valid_from_ms,json=validFromMs,proto3" json:"valid_from_ms,omitempty"`
	// End of the claim; unset while it lasts.
	ValidToMs *int64 `protobuf:"varint,7,opt,name=valid_to_ms,json=validToMs,proto3,oneof" json:"valid_to_ms,omitempty"`
	// From then on it may have lost the place without a sign; see rule 7d.
	DoubtedFromMs *int64 `protobuf:"varint,8,opt,name=doubted_from_ms,json=doubtedFromMs,proto3,oneof" json:"doubted_from_ms,omitempty"`
	// The one workload behind it: as it is now, or as it was when the claim ended. Unset when there is not exactly one.
	Workload *ObjectReference `protobuf:"bytes,9,opt,name=workload,proto3" json:"workload,omitempty"`
	// Three moments to order the holders of several timelines by; set only for places with a port.
	StartedMs int64 `protobuf:"varint,10,opt,name=started_ms,json=startedMs,proto3" json:"started_ms,omitempty"`
	// See `started_ms`.
	SeenMs int64 `protobuf:"varint,11,opt,name=seen_ms,json=seenMs,proto3" json:"seen_ms,omitempty"`
	// See `started_ms`.
	CreatedMs int64 `protobuf:"varint,12,opt,name=created_ms,json=createdMs,proto3" json:"created_ms,omitempty"`
	// Only for {address, many_ports}.
	Ports []*PortRange `protobuf:"bytes,13,rep,name=ports,proto3" json:"ports,omitempty"`
	// `ports` is wider than the service's ports, which are too many and too scattered to be listed.
	PortsInexact bool `protobuf:"varint,14,opt,name=ports_inexact,json=portsInexact,proto3" json:"ports_inexact,omitempty"`
	// In a namespace that the server does not publish: `namespace`, `name` and `workload` are unset.
	Hidden        bool `protobuf:"varint,15,opt,name=hidden,proto3" json:"hidden,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *TimelineHolder) Reset() {
	*x = TimelineHolder{}
	mi := &file_digger_v1_timeline_proto_msgTypes[2]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *TimelineHolder) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*TimelineHolder) ProtoMessage() {}

func (x *TimelineHolder) ProtoReflect() protoreflect.Message {
	mi := &file_digger_v1_timeline_proto_msgTypes[2]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use TimelineHolder.ProtoReflect.Descriptor instead.
func (*TimelineHolder) Descriptor() ([]byte, []int) {
	return file_digger_v1_timeline_proto_rawDescGZIP(), []int{2}
}

func (x *TimelineHolder) GetKind() EntityKind {
	if x != nil {
		return x.Kind
	}
	return EntityKind_ENTITY_KIND_UNSPECIFIED
}

func (x *TimelineHolder) GetNamespace() string {
	if x != nil {
		return x.Namespace
	}
	return ""
}

func (x *TimelineHolder) GetName() string {
	if x != nil {
		return x.Name
	}
	return ""
}

func (x *TimelineHolder) GetUid() string {
	if x != nil {
		return x.Uid
	}
	return ""
}

func (x *TimelineHolder) GetRole() AddressRole {
	if x != nil {
		return x.Role
	}
	return AddressRole_ADDRESS_ROLE_UNSPECIFIED
}

func (x *TimelineHolder) GetValidFromMs() int64 {
	if x != nil {
		return x.ValidFromMs
	}
	return 0
}

func (x *TimelineHolder) GetValidToMs() int64 {
	if x != nil && x.ValidToMs != nil {
		return *x.ValidToMs
	}
	return 0
}

func (x *TimelineHolder) GetDoubtedFromMs() int64 {
	if x != nil && x.DoubtedFromMs != nil {
		return *x.DoubtedFromMs
	}
	return 0
}

func (x *TimelineHolder) GetWorkload() *ObjectReference {
	if x != nil {
		return x.Workload
	}
	return nil
}

func (x *TimelineHolder) GetStartedMs() int64 {
	if x != nil {
		return x.StartedMs
	}
	return 0
}

func (x *TimelineHolder) GetSeenMs() int64 {
	if x != nil {
		return x.SeenMs
	}
	return 0
}

func (x *TimelineHolder) GetCreatedMs() int64 {
	if x != nil {
		return x.CreatedMs
	}
	return 0
}

func (x *TimelineHolder) GetPorts() []*PortRange {
	if x != nil {
		return x.Ports
	}
	return nil
}

func (x *TimelineHolder) GetPortsInexact() bool {
	if x != nil {
		return x.PortsInexact
	}
	return false
}

func (x *TimelineHolder) GetHidden() bool {
	if x != nil {
		return x.Hidden
	}
	return false
}

// A stretch of time in which the verdict on a place is the same.
type TimelineSpan struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// First moment.
	FromMs int64 `protobuf:"varint,1,opt,name=from_ms,json=fromMs,proto3" json:"from_ms,omitempty"`
	// First moment after it; unset: it lasts.
	ToMs *int64 `protobuf:"varint,2,opt,name=to_ms,json=toMs,proto3,oneof" json:"to_ms,omitempty"`
	// Indexes into the holders of the timeline, best first, each object once; several when it cannot be known which.
	Holders []uint32 `protobuf:"varint,3,rep,packed,name=holders,proto3" json:"holders,omitempty"`
	// Those of `holders` whose claims begin or end within this span, more or less: uncertain if that was not watched.
	AtEdge []uint32 `protobuf:"varint,4,rep,packed,name=at_edge,json=atEdge,proto3" json:"at_edge,omitempty"`
	// Those of `holders` that are uncertain in any case.
	Uncertain []uint32 `protobuf:"varint,5,rep,packed,name=uncertain,proto3" json:"uncertain,omitempty"`
	// Set: the one holder did not hold the place at these moments, but so shortly before or after that clocks may differ
	// (500 ms); `near_ms` is what the distance is measured from.
	NearMs *int64 `protobuf:"varint,6,opt,name=near_ms,json=nearMs,proto3,oneof" json:"near_ms,omitempty"`
	// Network plugins often give the address to this node. Only for an address as a whole.
	Presumed bool `protobuf:"varint,7,opt,name=presumed,proto3" json:"presumed,omitempty"`
	// No holders: a node has the address, but Node objects may not be read.
	UnknownNode bool `protobuf:"varint,8,opt,name=unknown_node,json=unknownNode,proto3" json:"unknown_node,omitempty"`
	// There are more holders than are listed; only for {address, many_ports}.
	More          bool `protobuf:"varint,9,opt,name=more,proto3" json:"more,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *TimelineSpan) Reset() {
	*x = TimelineSpan{}
	mi := &file_digger_v1_timeline_proto_msgTypes[3]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *TimelineSpan) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*TimelineSpan) ProtoMessage() {}

func (x *TimelineSpan) ProtoReflect() protoreflect.Message {
	mi := &file_digger_v1_timeline_proto_msgTypes[3]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use TimelineSpan.ProtoReflect.Descriptor instead.
func (*TimelineSpan) Descriptor() ([]byte, []int) {
	return file_digger_v1_timeline_proto_rawDescGZIP(), []int{3}
}

func (x *TimelineSpan) GetFromMs() int64 {
	if x != nil {
		return x.FromMs
	}
	return 0
}

func (x *TimelineSpan) GetToMs() int64 {
	if x != nil && x.ToMs != nil {
		return *x.ToMs
	}
	return 0
}

func (x *TimelineSpan) GetHolders() []uint32 {
	if x != nil {
		return x.Holders
	}
	return nil
}

func (x *TimelineSpan) GetAtEdge() []uint32 {
	if x != nil {
		return x.AtEdge
	}
	return nil
}

func (x *TimelineSpan) GetUncertain() []uint32 {
	if x != nil {
		return x.Uncertain
	}
	return nil
}

func (x *TimelineSpan) GetNearMs() int64 {
	if x != nil && x.NearMs != nil {
		return *x.NearMs
	}
	return 0
}

func (x *TimelineSpan) GetPresumed() bool {
	if x != nil {
		return x.Presumed
	}
	return false
}

func (x *TimelineSpan) GetUnknownNode() bool {
	if x != nil {
		return x.UnknownNode
	}
	return false
}

func (x *TimelineSpan) GetMore() bool {
	if x != nil {
		return x.More
	}
	return false
}

// Which nodes have an address, at these moments or within 500 ms of them.
type NodeSpan struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// First moment.
	FromMs int64 `protobuf:"varint,1,opt,name=from_ms,json=fromMs,proto3" json:"from_ms,omitempty"`
	// First moment after it; unset: it lasts.
	ToMs *int64 `protobuf:"varint,2,opt,name=to_ms,json=toMs,proto3,oneof" json:"to_ms,omitempty"`
	// Names; nearly always one.
	Names         []string `protobuf:"bytes,3,rep,name=names,proto3" json:"names,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *NodeSpan) Reset() {
	*x = NodeSpan{}
	mi := &file_digger_v1_timeline_proto_msgTypes[4]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *NodeSpan) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*NodeSpan) ProtoMessage() {}

func (x *NodeSpan) ProtoReflect() protoreflect.Message {
	mi := &file_digger_v1_timeline_proto_msgTypes[4]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use NodeSpan.ProtoReflect.Descriptor instead.
func (*NodeSpan) Descriptor() ([]byte, []int) {
	return file_digger_v1_timeline_proto_rawDescGZIP(), []int{4}
}

func (x *NodeSpan) GetFromMs() int64 {
	if x != nil {
		return x.FromMs
	}
	return 0
}

func (x *NodeSpan) GetToMs() int64 {
	if x != nil && x.ToMs != nil {
		return *x.ToMs
	}
	return 0
}

func (x *NodeSpan) GetNames() []string {
	if x != nil {
		return x.Names
	}
	return nil
}

// All that is known of a place, from the history on. It replaces what was known of the place before. One that has
// nothing but its place says that nothing is known of it (any more): forget it.
type AddressTimeline struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The key.
	Place *TimelinePlace `protobuf:"bytes,1,opt,name=place,proto3" json:"place,omitempty"`
	// Referred to by index.
	Holders []*TimelineHolder `protobuf:"bytes,2,rep,name=holders,proto3" json:"holders,omitempty"`
	// Oldest first, not overlapping; between them there is no holder. Spans that are over for longer than the history may
	// be left out.
	Spans []*TimelineSpan `protobuf:"bytes,3,rep,name=spans,proto3" json:"spans,omitempty"`
	// Oldest first, not overlapping. Only for an address as a whole.
	Nodes []*NodeSpan `protobuf:"bytes,4,rep,name=nodes,proto3" json:"nodes,omitempty"`
	// A pod, a node or a service of the cluster itself has the address, or had it in the history. Only for an address as
	// a whole.
	InCluster bool `protobuf:"varint,5,opt,name=in_cluster,json=inCluster,proto3" json:"in_cluster,omitempty"`
	// Set: the place had so many holders that what was before this moment is forgotten.
	CutAtMs *int64 `protobuf:"varint,6,opt,name=cut_at_ms,json=cutAtMs,proto3,oneof" json:"cut_at_ms,omitempty"`
	// Only for ranges: the range is known.
	Known         bool `protobuf:"varint,7,opt,name=known,proto3" json:"known,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *AddressTimeline) Reset() {
	*x = AddressTimeline{}
	mi := &file_digger_v1_timeline_proto_msgTypes[5]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *AddressTimeline) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*AddressTimeline) ProtoMessage() {}

func (x *AddressTimeline) ProtoReflect() protoreflect.Message {
	mi := &file_digger_v1_timeline_proto_msgTypes[5]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use AddressTimeline.ProtoReflect.Descriptor instead.
func (*AddressTimeline) Descriptor() ([]byte, []int) {
	return file_digger_v1_timeline_proto_rawDescGZIP(), []int{5}
}

func (x *AddressTimeline) GetPlace() *TimelinePlace {
	if x != nil {
		return x.Place
	}
	return nil
}

func (x *AddressTimeline) GetHolders() []*TimelineHolder {
	if x != nil {
		return x.Holders
	}
	return nil
}

func (x *AddressTimeline) GetSpans() []*TimelineSpan {
	if x != nil {
		return x.Spans
	}
	return nil
}

func (x *AddressTimeline) GetNodes() []*NodeSpan {
	if x != nil {
		return x.Nodes
	}
	return nil
}

func (x *AddressTimeline) GetInCluster() bool {
	if x != nil {
		return x.InCluster
	}
	return false
}

func (x *AddressTimeline) GetCutAtMs() int64 {
	if x != nil && x.CutAtMs != nil {
		return *x.CutAtMs
	}
	return 0
}

func (x *AddressTimeline) GetKnown() bool {
	if x != nil {
		return x.Known
	}
	return false
}

// A stretch of time in which the cluster was not followed.
type BlindMoment struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// First moment.
	SinceMs int64 `protobuf:"varint,1,opt,name=since_ms,json=sinceMs,proto3" json:"since_ms,omitempty"`
	// When the list that closed the gap came.
	UntilMs       int64 `protobuf:"varint,2,opt,name=until_ms,json=untilMs,proto3" json:"until_ms,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *BlindMoment) Reset() {
	*x = BlindMoment{}
	mi := &file_digger_v1_timeline_proto_msgTypes[6]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *BlindMoment) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*BlindMoment) ProtoMessage() {}

func (x *BlindMoment) ProtoReflect() protoreflect.Message {
	mi := &file_digger_v1_timeline_proto_msgTypes[6]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use BlindMoment.ProtoReflect.Descriptor instead.
func (*BlindMoment) Descriptor() ([]byte, []int) {
	return file_digger_v1_timeline_proto_rawDescGZIP(), []int{6}
}

func (x *BlindMoment) GetSinceMs() int64 {
	if x != nil {
		return x.SinceMs
	}
	return 0
}

func (x *BlindMoment) GetUntilMs() int64 {
	if x != nil {
		return x.UntilMs
	}
	return 0
}

// What is true of all places. Replaces what was sent before.
type AddressFacts struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// Nothing can be told about moments before this one: the replica started, or what was before had to be forgotten.
	BeganMs int64 `protobuf:"varint,1,opt,name=began_ms,json=beganMs,proto3" json:"began_ms,omitempty"`
	// How far back the history reaches at most.
	HistoryMs int64 `protobuf:"varint,2,opt,name=history_ms,json=historyMs,proto3" json:"history_ms,omitempty"`
	// Gaps that are closed, oldest first, not overlapping; those that are older than the history are left out.
	Blind []*BlindMoment `protobuf:"bytes,3,rep,name=blind,proto3" json:"blind,omitempty"`
	// The cluster is not followed since then; unset while every watch is healthy.
	BlindSinceMs *int64 `protobuf:"varint,4,opt,name=blind_since_ms,json=blindSinceMs,proto3,oneof" json:"blind_since_ms,omitempty"`
	// Before this moment nothing is known of what came and went: the start, or a gap that is older than the history.
	UnknownUntilMs int64 `protobuf:"varint,5,opt,name=unknown_until_ms,json=unknownUntilMs,proto3" json:"unknown_until_ms,omitempty"`
	// Some claims that ended up to this moment are forgotten, because their objects had too many of them.
	IncompleteUntilMs *int64 `protobuf:"varint,6,opt,name=incomplete_until_ms,json=incompleteUntilMs,proto3,oneof" json:"incomplete_until_ms,omitempty"`
	// How late kubelets report.
	ReportDelayMs int64 `protobuf:"varint,7,opt,name=report_delay_ms,json=reportDelayMs,proto3" json:"report_delay_ms,omitempty"`
	// Only some namespaces are watched.
	Partial bool `protobuf:"varint,8,opt,name=partial,proto3" json:"partial,omitempty"`
	// All ranges of the cluster are known as far as IPv4 is concerned: what is outside of them is EXTERNAL.
	RangesCompleteIpv4 bool `protobuf:"varint,9,opt,name=ranges_complete_ipv4,json=rangesCompleteIpv4,proto3" json:"ranges_complete_ipv4,omitempty"`
	// The same for IPv6.
	RangesCompleteIpv6 bool `protobuf:"varint,10,opt,name=ranges_complete_ipv6,json=rangesCompleteIpv6,proto3" json:"ranges_complete_ipv6,omitempty"`
	unknownFields      protoimpl.UnknownFields
	sizeCache          protoimpl.SizeCache
}

func (x *AddressFacts) Reset() {
	*x = AddressFacts{}
	mi := &file_digger_v1_timeline_proto_msgTypes[7]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *AddressFacts) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*AddressFacts) ProtoMessage() {}

func (x *AddressFacts) ProtoReflect() protoreflect.Message {
	mi := &file_digger_v1_timeline_proto_msgTypes[7]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use AddressFacts.ProtoReflect.Descriptor instead.
func (*AddressFacts) Descriptor() ([]byte, []int) {
	return file_digger_v1_timeline_proto_rawDescGZIP(), []int{7}
}

func (x *AddressFacts) GetBeganMs() int64 {
	if x != nil {
		return x.BeganMs
	}
	return 0
}

func (x *AddressFacts) GetHistoryMs() int64 {
	if x != nil {
		return x.HistoryMs
	}
	return 0
}

func (x *AddressFacts) GetBlind() []*BlindMoment {
	if x != nil {
		return x.Blind
	}
	return nil
}

func (x *AddressFacts) GetBlindSinceMs() int64 {
	if x != nil && x.BlindSinceMs != nil {
		return *x.BlindSinceMs
	}
	return 0
}

func (x *AddressFacts) GetUnknownUntilMs() int64 {
	if x != nil {
		return x.UnknownUntilMs
	}
	return 0
}

func (x *AddressFacts) GetIncompleteUntilMs() int64 {
	if x != nil && x.IncompleteUntilMs != nil {
		return *x.IncompleteUntilMs
	}
	return 0
}

func (x *AddressFacts) GetReportDelayMs() int64 {
	if x != nil {
		return x.ReportDelayMs
	}
	return 0
}

func (x *AddressFacts) GetPartial() bool {
	if x != nil {
		return x.Partial
	}
	return false
}

func (x *AddressFacts) GetRangesCompleteIpv4() bool {
	if x != nil {
		return x.RangesCompleteIpv4
	}
	return false
}

func (x *AddressFacts) GetRangesCompleteIpv6() bool {
	if x != nil {
		return x.RangesCompleteIpv6
	}
	return false
}

var File_digger_v1_timeline_proto protoreflect.FileDescriptor

const file_digger_v1_timeline_proto_rawDesc = "" +
	"\n" +
	"\x18digger/v1/timeline.proto\x12\tdigger.v1\x1a\x18digger/v1/entities.proto\x1a\x16digger/v1/lookup.proto\"\xd8\x01\n" +
	"\rTimelinePlace\x12\x18\n" +
	"\aaddress\x18\x01 \x01(\tR\aaddress\x12\x12\n" +
	"\x04node\x18\x02 \x01(\tR\x04node\x12\x12\n" +
	"\x04port\x18\x03 \x01(\rR\x04port\x12/\n" +
	"\bprotocol\x18\x04 \x01(\x0e2\x13.digger.v1.ProtocolR\bprotocol\x12\x1d\n" +
	"\n" +
	"many_ports\x18\x05 \x01(\bR\tmanyPorts\x12\x14\n" +
	"\x05range\x18\x06 \x01(\tR\x05range\x12\x1f\n" +
	"\vpod_network\x18\a \x01(\tR\n" +
	"podNetwork\"f\n" +
	"\tPortRange\x12\x14\n" +
	"\x05first\x18\x01 \x01(\rR\x05first\x12\x12\n" +
	"\x04last\x18\x02 \x01(\rR\x04last\x12/\n" +
	"\bprotocol\x18\x03 \x01(\x0e2\x13.digger.v1.ProtocolR\bprotocol\"\xbd\x04\n" +
	"\x0eTimelineHolder\x12)\n" +
	"\x04kind\x18\x01 \x01(\x0e2\x15.digger.v1.EntityKindR\x04kind\x12\x1c\n" +
	"\tnamespace\x18\x02 \x01(\tR\tnamespace\x12\x12\n" +
	"\x04name\x18\x03 \x01(\tR\x04name\x12\x10\n" +
	"\x03uid\x18\x04 \x01(\tR\x03uid\x12*\n" +
	"\x04role\x18\x05 \x01(\x0e2\x16.digger.v1.AddressRoleR\x04role\x12\"\n" +
	"\rvalid_from_ms\x18\x06 \x01(\x03R\vvalidFromMs\x12#\n" +
	"\vvalid_to_ms\x18\a \x01(\x03H\x00R\tvalidToMs\x88\x01\x01\x12+\n" +
	"\x0fdoubted_from_ms\x18\b \x01(\x03H\x01R\rdoubtedFromMs\x88\x01\x01\x126\n" +
	"\bworkload\x18\t \x01(\v2\x1a.digger.v1.ObjectReferenceR\bworkload\x12\x1d\n" +
	"\n" +
	"started_ms\x18\n" +
	" \x01(\x03R\tstartedMs\x12\x17\n" +
	"\aseen_ms\x18\v \x01(\x03R\x06seenMs\x12\x1d\n" +
	"\n" +
	"created_ms\x18\f \x01(\x03R\tcreatedMs\x12*\n" +
	"\x05ports\x18\r \x03(\v2\x14.digger.v1.PortRangeR\x05ports\x12#\n" +
	"\rports_inexact\x18\x0e \x01(\bR\fportsInexact\x12\x16\n" +
	"\x06hidden\x18\x0f \x01(\bR\x06hiddenB\x0e\n" +
	"\f_valid_to_msB\x12\n" +
	"\x10_doubted_from_ms\"\x99\x02\n" +
	"\fTimelineSpan\x12\x17\n" +
	"\afrom_ms\x18\x01 \x01(\x03R\x06fromMs\x12\x18\n" +
	"\x05to_ms\x18\x02 \x01(\x03H\x00R\x04toMs\x88\x01\x01\x12\x18\n" +
	"\aholders\x18\x03 \x03(\rR\aholders\x12\x17\n" +
	"\aat_edge\x18\x04 \x03(\rR\x06atEdge\x12\x1c\n" +
	"\tuncertain\x18\x05 \x03(\rR\tuncertain\x12\x1c\n" +
	"\anear_ms\x18\x06 \x01(\x03H\x01R\x06nearMs\x88\x01\x01\x12\x1a\n" +
	"\bpresumed\x18\a \x01(\bR\bpresumed\x12!\n" +
	"\funknown_node\x18\b \x01(\bR\vunknownNode\x12\x12\n" +
	"\x04more\x18\t \x01(\bR\x04moreB\b\n" +
	"\x06_to_msB\n" +
	"\n" +
	"\b_near_ms\"]\n" +
	"\bNodeSpan\x12\x17\n" +
	"\afrom_ms\x18\x01 \x01(\x03R\x06fromMs\x12\x18\n" +
	"\x05to_ms\x18\x02 \x01(\x03H\x00R\x04toMs\x88\x01\x01\x12\x14\n" +
	"\x05names\x18\x03 \x03(\tR\x05namesB\b\n" +
	"\x06_to_ms\"\xb4\x02\n" +
	"\x0fAddressTimeline\x12.\n" +
	"\x05place\x18\x01 \x01(\v2\x18.digger.v1.TimelinePlaceR\x05place\x123\n" +
	"\aholders\x18\x02 \x03(\v2\x19.digger.v1.TimelineHolderR\aholders\x12-\n" +
	"\x05spans\x18\x03 \x03(\v2\x17.digger.v1.TimelineSpanR\x05spans\x12)\n" +
	"\x05nodes\x18\x04 \x03(\v2\x13.digger.v1.NodeSpanR\x05nodes\x12\x1d\n" +
	"\n" +
	"in_cluster\x18\x05 \x01(\bR\tinCluster\x12\x1f\n" +
	"\tcut_at_ms\x18\x06 \x01(\x03H\x00R\acutAtMs\x88\x01\x01\x12\x14\n" +
	"\x05known\x18\a \x01(\bR\x05knownB\f\n" +
	"\n" +
	"_cut_at_ms\"C\n" +
	"\vBlindMoment\x12\x19\n" +
	"\bsince_ms\x18\x01 \x01(\x03R\asinceMs\x12\x19\n" +
	"\buntil_ms\x18\x02 \x01(\x03R\auntilMs\"\xd1\x03\n" +
	"\fAddressFacts\x12\x19\n" +
	"\bbegan_ms\x18\x01 \x01(\x03R\abeganMs\x12\x1d\n" +
	"\n" +
	"history_ms\x18\x02 \x01(\x03R\thistoryMs\x12,\n" +
	"\x05blind\x18\x03 \x03(\v2\x16.digger.v1.BlindMomentR\x05blind\x12)\n" +
	"\x0eblind_since_ms\x18\x04 \x01(\x03H\x00R\fblindSinceMs\x88\x01\x01\x12(\n" +
	"\x10unknown_until_ms\x18\x05 \x01(\x03R\x0eunknownUntilMs\x123\n" +
	"\x13incomplete_until_ms\x18\x06 \x01(\x03H\x01R\x11incompleteUntilMs\x88\x01\x01\x12&\n" +
	"\x0freport_delay_ms\x18\a \x01(\x03R\rreportDelayMs\x12\x18\n" +
	"\apartial\x18\b \x01(\bR\apartial\x120\n" +
	"\x14ranges_complete_ipv4\x18\t \x01(\bR\x12rangesCompleteIpv4\x120\n" +
	"\x14ranges_complete_ipv6\x18\n" +
	" \x01(\bR\x12rangesCompleteIpv6B\x11\n" +
	"\x0f_blind_since_msB\x16\n" +
	"\x14_incomplete_until_msB\x7f\n" +
	"\rcom.digger.v1B\rTimelineProtoP\x01Z\x1adigger.example/go/diggerv1\xa2\x02\x03DXX\xaa\x02\tDigger.V1\xca\x02\tDigger\\V1\xe2\x02\x15Digger\\V1\\GPBMetadata\xea\x02\n" +
	"Digger::V1b\x06proto3"

var (
	file_digger_v1_timeline_proto_rawDescOnce sync.Once
	file_digger_v1_timeline_proto_rawDescData []byte
)

func file_digger_v1_timeline_proto_rawDescGZIP() []byte {
	file_digger_v1_timeline_proto_rawDescOnce.Do(func() {
		file_digger_v1_timeline_proto_rawDescData = protoimpl.X.CompressGZIP(unsafe.Slice(unsafe.StringData(file_digger_v1_timeline_proto_rawDesc), len(file_digger_v1_timeline_proto_rawDesc)))
	})
	return file_digger_v1_timeline_proto_rawDescData
}

var file_digger_v1_timeline_proto_msgTypes = make([]protoimpl.MessageInfo, 8)
var file_digger_v1_timeline_proto_goTypes = []any{
	(*TimelinePlace)(nil),   // 0: digger.v1.TimelinePlace
	(*PortRange)(nil),       // 1: digger.v1.PortRange
	(*TimelineHolder)(nil),  // 2: digger.v1.TimelineHolder
	(*TimelineSpan)(nil),    // 3: digger.v1.TimelineSpan
	(*NodeSpan)(nil),        // 4: digger.v1.NodeSpan
	(*AddressTimeline)(nil), // 5: digger.v1.AddressTimeline
	(*BlindMoment)(nil),     // 6: digger.v1.BlindMoment
	(*AddressFacts)(nil),    // 7: digger.v1.AddressFacts
	(Protocol)(0),           // 8: digger.v1.Protocol
	(EntityKind)(0),         // 9: digger.v1.EntityKind
	(AddressRole)(0),        // 10: digger.v1.AddressRole
	(*ObjectReference)(nil), // 11: digger.v1.ObjectReference
}
var file_digger_v1_timeline_proto_depIdxs = []int32{
	8,  // 0: digger.v1.TimelinePlace.protocol:type_name -> digger.v1.Protocol
	8,  // 1: digger.v1.PortRange.protocol:type_name -> digger.v1.Protocol
	9,  // 2: digger.v1.TimelineHolder.kind:type_name -> digger.v1.EntityKind
	10, // 3: digger.v1.TimelineHolder.role:type_name -> digger.v1.AddressRole
	11, // 4: digger.v1.TimelineHolder.workload:type_name -> digger.v1.ObjectReference
	1,  // 5: digger.v1.TimelineHolder.ports:type_name -> digger.v1.PortRange
	0,  // 6: digger.v1.AddressTimeline.place:type_name -> digger.v1.TimelinePlace
	2,  // 7: digger.v1.AddressTimeline.holders:type_name -> digger.v1.TimelineHolder
	3,  // 8: digger.v1.AddressTimeline.spans:type_name -> digger.v1.TimelineSpan
	4,  // 9: digger.v1.AddressTimeline.nodes:type_name -> digger.v1.NodeSpan
	6,  // 10: digger.v1.AddressFacts.blind:type_name -> digger.v1.BlindMoment
	11, // [11:11] is the sub-list for method output_type
	11, // [11:11] is the sub-list for method input_type
	11, // [11:11] is the sub-list for extension type_name
	11, // [11:11] is the sub-list for extension extendee
	0,  // [0:11] is the sub-list for field type_name
}

func init() { file_digger_v1_timeline_proto_init() }
func file_digger_v1_timeline_proto_init() {
	if File_digger_v1_timeline_proto != nil {
		return
	}
	file_digger_v1_entities_proto_init()
	file_digger_v1_lookup_proto_init()
	file_digger_v1_timeline_proto_msgTypes[2].OneofWrappers = []any{}
	file_digger_v1_timeline_proto_msgTypes[3].OneofWrappers = []any{}
	file_digger_v1_timeline_proto_msgTypes[4].OneofWrappers = []any{}
	file_digger_v1_timeline_proto_msgTypes[5].OneofWrappers = []any{}
	file_digger_v1_timeline_proto_msgTypes[7].OneofWrappers = []any{}
	type x struct{}
	out := protoimpl.TypeBuilder{
		File: protoimpl.DescBuilder{
			GoPackagePath: reflect.TypeOf(x{}).PkgPath(),
			RawDescriptor: unsafe.Slice(unsafe.StringData(file_digger_v1_timeline_proto_rawDesc), len(file_digger_v1_timeline_proto_rawDesc)),
			NumEnums:      0,
			NumMessages:   8,
			NumExtensions: 0,
			NumServices:   0,
		},
		GoTypes:           file_digger_v1_timeline_proto_goTypes,
		DependencyIndexes: file_digger_v1_timeline_proto_depIdxs,
		MessageInfos:      file_digger_v1_timeline_proto_msgTypes,
	}.Build()
	File_digger_v1_timeline_proto = out.File
	file_digger_v1_timeline_proto_goTypes = nil
	file_digger_v1_timeline_proto_depIdxs = nil
}
