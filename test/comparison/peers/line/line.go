// Package line is how a peer is asked: a line on standard input holds addresses, the line on standard output has for each the uid of
// the pod that holds it, or "-" when the peer knows none. Before the first of them the peer says "ready", when its first list is in.
package line

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

// Unknown is what stands for no answer.
const Unknown = "-"

// Serve says that the peer is ready, and answers until standard input ends.
func Serve(answer func(address string) string) error {
	out := bufio.NewWriter(os.Stdout)
	fmt.Fprintln(out, "ready")
	if err := out.Flush(); err != nil {
		return err
	}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		addresses := strings.Fields(in.Text())
		for i, address := range addresses {
			addresses[i] = answer(address)
		}
		fmt.Fprintln(out, strings.Join(addresses, " "))
		if err := out.Flush(); err != nil {
			return err
		}
	}
	return in.Err()
}
