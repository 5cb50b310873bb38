package replica

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"math/bits"
	"net/netip"

	"digger.example/go/diggerv1"
)

// What a timeline is of: the key of the table of timelines, compact and comparable.

type placeKind uint8

const (
	ofAddress placeKind = iota
	// Services with this port of an address.
	ofPort
	// Services with so many ports that they are listed with their ports.
	ofPorts
	// A port of a node, at every address of it.
	ofNodePort
	// The same at one address of the node.
	ofNodePortAt
	// A port of every node.
	ofEveryNodePort
	// The pods in the network of a node.
	ofNode
	// An address on a secondary network, whose name stands in `node`.
	ofPodNetwork
)

type place struct {
	// The 128 bits of the address; IPv4 as ::ffff:a.b.c.d.
	hi, lo   uint64
	node     string
	port     uint16
	protocol Protocol
	kind     placeKind
	// Of the timeline, not of the key; here it takes no room. A pod, a node or a service has or had the address.
	isInCluster bool
}

func (p *place) same(other *place) bool {
	return p.lo == other.lo && p.hi == other.hi && p.port == other.port && p.protocol == other.protocol &&
		p.kind == other.kind && p.node == other.node
}

// bitsOf returns the 128 bits of an address.
func bitsOf(address netip.Addr) (hi, lo uint64) {
	bytes := address.As16()
	return binary.BigEndian.Uint64(bytes[:8]), binary.BigEndian.Uint64(bytes[8:])
}

// Names and addresses come from the cluster, that is from its tenants, who must not be able to choose them so that they collide.
var (
	seed     = maphash.MakeSeed()
	seedBits = maphash.String(seed, "addresses")
)

func (p *place) hash() uint64 {
	h := hashAddress(p.hi, p.lo)
	if p.kind == ofAddress {
		return h
	}
	h = mix(h^uint64(p.kind)<<32, uint64(p.port)<<8^uint64(p.protocol)^0x9e3779b97f4a7c15)
	if p.node != "" {
		h = mix(h, maphash.String(seed, p.node))
	}
	return h
}

func hashAddress(hi, lo uint64) uint64 {
	return mix(hi^seedBits, lo^0xa0761d6478bd642f)
}

func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0xe7037ed1a0b428db, b^seedBits)
	hi ^= lo
	// One more multiplication: the top bits choose the page, the low ones the slot, and both have to depend on all.
	return (hi ^ hi>>32) * 0xd6e8feb86659fd93
}

// placeOf reads the place of a timeline that is not that of a range.
func placeOf(message *diggerv1.TimelinePlace) (place, error) {
	p := place{node: message.GetNode()}
	if message.GetPort() > 65535 || message.GetProtocol() > 3 || message.GetProtocol() < 0 {
		return p, fmt.Errorf("place.port or place.protocol is out of range: %v", message)
	}
	if message.GetPort() != 0 && message.GetProtocol() == diggerv1.Protocol_PROTOCOL_UNSPECIFIED {
		return p, fmt.Errorf("place.port without place.protocol: %v", message)
	}
	p.port = uint16(message.GetPort())
	p.protocol = Protocol(message.GetProtocol())
	network := message.GetPodNetwork()
	hasAddress, hasNode, hasPort := message.GetAddress() != "", p.node != "", p.port != 0
	if hasAddress {
		address, err := netip.ParseAddr(message.GetAddress())
		if err != nil || address.Zone() != "" {
			return p, fmt.Errorf("place.address is no address: %q", message.GetAddress())
		}
		p.hi, p.lo = bitsOf(address)
	}
	switch {
	case network != "" && hasAddress && !hasNode && !hasPort && !message.GetManyPorts():
		p.kind, p.node = ofPodNetwork, network
	case network != "":
		return p, fmt.Errorf("not a place of this version: %v", message)
	case message.GetManyPorts() && hasAddress && !hasNode && !hasPort:
		p.kind = ofPorts
	case message.GetManyPorts():
		return p, fmt.Errorf("not a place of this version: %v", message)
	case hasAddress && !hasNode && !hasPort:
		p.kind = ofAddress
	case hasAddress && !hasNode:
		p.kind = ofPort
	case hasNode && hasPort && hasAddress:
		p.kind = ofNodePortAt
	case hasNode && hasPort:
		p.kind = ofNodePort
	case hasNode && !hasAddress:
		p.kind = ofNode
	case hasPort && !hasAddress:
		p.kind = ofEveryNodePort
	default:
		return p, fmt.Errorf("not a place of this version: %v", message)
	}
	return p, nil
}
