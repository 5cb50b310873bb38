package replica

import "digger.example/go/diggerv1"

// Event is one of SyncedEvent, ChangeEvent, ResetEvent and FailoverEvent.
type Event interface{ isEvent() }

// SyncedEvent: the picture is complete, as of now, and answers are from it. It follows a ResetEvent, or a FailoverEvent
// after which the server could continue.
type SyncedEvent struct {
	// The one that is followed.
	Target string
}

// ChangeEvent: these changes are in the picture, or will be with the next SyncedEvent.
type ChangeEvent struct {
	// In their order; to be read and not to be changed.
	Changes []*diggerv1.Change
	// Answers have them already.
	IsInForce bool
}

// ResetEvent: a new picture is being built, from nothing; the old one answers until the SyncedEvent.
type ResetEvent struct {
	Reason  diggerv1.ResetReason
	Message string
}

// FailoverEvent: the stream ended; the next attempt goes to Next, which is Target again when there is only one.
type FailoverEvent struct {
	Target, Next string
	Err          error
}

func (SyncedEvent) isEvent()   {}
func (ChangeEvent) isEvent()   {}
func (ResetEvent) isEvent()    {}
func (FailoverEvent) isEvent() {}
