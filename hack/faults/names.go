package faults

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"golang.org/x/net/dns/dnsmessage"
)

// feedName is the name of the feed's proxy that only the world's name server knows.
const feedName = "feed.faults.test"

// misnaming is what a name server does to a question. It gives the answer to send; nil: none.
type misnaming struct {
	name string
	do   func(answer *dnsmessage.Message) *dnsmessage.Message
}

// misnamings are those that any name server may do to its clients.
var misnamings = []misnaming{
	{"is not found", func(*dnsmessage.Message) *dnsmessage.Message {
		return &dnsmessage.Message{Header: dnsmessage.Header{RCode: dnsmessage.RCodeNameError}}
	}},
	{"fails", func(*dnsmessage.Message) *dnsmessage.Message {
		return &dnsmessage.Message{Header: dnsmessage.Header{RCode: dnsmessage.RCodeServerFailure}}
	}},
	{"gets no answer", func(*dnsmessage.Message) *dnsmessage.Message { return nil }},
	{"leads elsewhere", func(answer *dnsmessage.Message) *dnsmessage.Message {
		for i := range answer.Answers {
			answer.Answers[i].Body = &dnsmessage.AResource{A: [4]byte{127, 53, 255, 254}} // nobody listens there
		}
		return answer
	}},
}

// names is a name server that knows feedName, and harms some of the questions for it.
type names struct {
	ip   net.IP // it listens at port 53
	conn net.PacketConn

	mu     sync.Mutex
	harm   *misnaming
	window window
}

// startNames listens on loopback until it is closed.
func startNames(ctx context.Context) (*names, error) {
	var errs []error
	for host := range byte(100) { // another world may have an address
		ip := net.IPv4(127, 53, 0, host+1)
		conn, err := new(net.ListenConfig).ListenPacket(ctx, "udp", net.JoinHostPort(ip.String(), "53"))
		if err == nil {
			n := &names{ip: ip, conn: conn}
			go n.serve()
			return n, nil
		}
		errs = append(errs, err)
	}
	return nil, fmt.Errorf("start a name server: %w", errors.Join(errs...))
}

// config is what a buildkitd needs to have its steps ask n. They do so once, and wait for a second.
func (n *names) config() string {
	return fmt.Sprintf("\n[dns]\n  nameservers = [%q]\n  options = [\"timeout:1\", \"attempts:1\"]\n", n.ip)
}

func (n *names) close() error { return n.conn.Close() }

func (n *names) serve() {
	question := make([]byte, 1<<16)
	for {
		size, from, err := n.conn.ReadFrom(question)
		if err != nil {
			return // it is closed
		}
		var m dnsmessage.Message
		if m.Unpack(question[:size]) != nil || len(m.Questions) != 1 {
			continue
		}
		answer := n.answer(m.Questions[0])
		if answer == nil {
			continue
		}
		answer.ID, answer.Response, answer.Questions = m.ID, true, m.Questions
		if dt, err := answer.Pack(); err == nil {
			_, _ = n.conn.WriteTo(dt, from) // who asks asks again, or fails: both are right
		}
	}
}

func (n *names) answer(q dnsmessage.Question) *dnsmessage.Message {
	var answer dnsmessage.Message
	if q.Name.String() != feedName+"." {
		answer.RCode = dnsmessage.RCodeNameError
		return &answer
	}
	if q.Type == dnsmessage.TypeA {
		answer.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET},
			Body:   &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
		}}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.harm == nil || !n.window.hit() {
		return &answer
	}
	return n.harm.do(&answer)
}

// set begins to do harm to the questions from one to another. A nil harm ends it.
func (n *names) set(h *misnaming, after, last int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.harm, n.window = h, window{after: after, last: last}
}

// count tells how many questions were harmed since set.
func (n *names) count() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.window.harmed
}

// misnamed restores from a feed that has a name, while the name server does harm.
func misnamed(ctx context.Context, w *World, t Trial, h misnaming) (Result, error) {
	a, err := w.anew(ctx)
	if err != nil {
		return Result{}, err
	}
	_, port, err := net.SplitHostPort(w.feed.Addr)
	if err != nil {
		return Result{}, err
	}
	feed := net.JoinHostPort(feedName, port)
	if err := writeFiles(a.dir, map[string]string{"nuget.config": feedConfig(feed)}); err != nil {
		return Result{}, err
	}
	after, last := t.reach()
	w.names.set(&h, after, last)
	output, failed := w.run(ctx, a, nil)
	harmed := w.names.count()
	w.names.set(nil, 0, 0)
	if t.Number == 0 && harmed == 0 {
		return Result{}, errors.New("the build met no fault")
	}
	return a.check(ctx, w, output, failed, feed)
}
