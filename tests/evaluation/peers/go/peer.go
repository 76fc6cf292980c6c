// One end of a TLS session on Go's crypto/tls: plays a script, as peer.py says.
package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

type plan struct {
	Role, Version, Ciphers, Certificate, Key, Name string
	Port                                           int
	Rows                                           [][]json.RawMessage
	Expects                                        int
}

var suites = map[string]uint16{
	"ECDHE-RSA-AES128-GCM-SHA256":  tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	"ECDHE-RSA-CHACHA20-POLY1305":  tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	"ECDHE-RSA-AES128-SHA":         tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func connect(p plan) *tls.Conn {
	if p.Role == "client" {
		raw, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.Port))
		must(err)
		return tls.Client(raw, &tls.Config{InsecureSkipVerify: true, ServerName: p.Name})
	}
	pair, err := tls.LoadX509KeyPair(p.Certificate, p.Key)
	must(err)
	config := &tls.Config{Certificates: []tls.Certificate{pair}}
	if p.Version == "1.2" {
		config.MaxVersion = tls.VersionTLS12
		config.CipherSuites = []uint16{suites[p.Ciphers]}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	raw, err := listener.Accept()
	must(err)
	return tls.Server(raw, config)
}

func main() {
	text, err := os.ReadFile(os.Args[1])
	must(err)
	var p plan
	must(json.Unmarshal(text, &p))
	connection := connect(p)
	must(connection.Handshake())
	came, lock := 0, sync.Mutex{}
	news := sync.NewCond(&lock)
	go func() {
		part := make([]byte, 65536)
		for {
			n, err := connection.Read(part)
			lock.Lock()
			came += n
			if err != nil {
				came = 1 << 60
			}
			news.Broadcast()
			lock.Unlock()
			if err != nil {
				return
			}
		}
	}()
	wait := func(needed int) {
		lock.Lock()
		for came < needed {
			news.Wait()
		}
		lock.Unlock()
	}
	for _, row := range p.Rows {
		var needed, pause int
		var lengths []int
		var alone bool
		must(json.Unmarshal(row[0], &needed))
		must(json.Unmarshal(row[1], &pause))
		must(json.Unmarshal(row[2], &lengths))
		must(json.Unmarshal(row[3], &alone))
		wait(needed)
		time.Sleep(time.Duration(pause) * time.Millisecond)
		total := 0
		for _, length := range lengths {
			total += length
			if alone {
				_, err := connection.Write(make([]byte, length))
				must(err)
			}
		}
		if !alone {
			_, err := connection.Write(make([]byte, total))
			must(err)
		}
	}
	wait(p.Expects)
	time.Sleep(50 * time.Millisecond)
	connection.Close()
}
