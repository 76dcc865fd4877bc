// Tests of the way in: TLS, credentials of each worker that allow no more than it needs, and what is refused.

package farm

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nkeys"

	"retake.example/internal/farm/natstest"
	"retake.example/internal/video"
)

// certificate writes one for this computer that ends at some time, and its key.
func certificate(t *testing.T, end time.Time) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "farm"}, IsCA: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: end, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der},
		key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// TestAccess_TheDocumentedServerLetsInTheCentreAndItsWorkers starts the server of docs/farm.md.
func TestAccess_TheDocumentedServerLetsInTheCentreAndItsWorkers(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/farm.md")
	if err != nil {
		t.Fatal(err)
	}
	users := regexp.MustCompile(`(?s)\nauthorization \{.*?\n\}\n`).FindString(string(text))
	cert, key := certificate(t, time.Now().Add(time.Hour))
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	seed, err := pair.Seed()
	if err != nil {
		t.Fatal(err)
	}
	public, err := pair.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	documented := regexp.MustCompile(`nkey: "\w+"`)
	if len(documented.FindAllString(users, -1)) != 1 {
		t.Fatalf("docs/farm.md: got %q; want a server with one user by NKey", users)
	}
	users = documented.ReplaceAllString(users, fmt.Sprintf("nkey: %q", public))
	s := natstest.New(t, users, fmt.Sprintf("tls { cert_file: %q, key_file: %q }", cert, key))
	access := Access{URL: "tls://" + s.Address, Credentials: "centre:a-long-password", CA: cert}
	c := centreOf(t, Options{Access: access, Replicas: 1}, quick, func(k *video.Kit) {
		k.Files = map[string]string{"fonts/x.ttf": cert}
	})
	access.Credentials = string(seed)
	startWith(t, WorkerOptions{Access: access, Cores: 2, Build: build(nothing)})
	for i := range 5 {
		o := order1(fmt.Sprint("asset", i))
		film(t.Context(), t, c, o).want(t, o)
	}
	l, err := access.connect("a worker that gets an order again", quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	w := &worker{line: l}
	g, err := w.stores(t.Context())
	if err == nil {
		_, err = w.countDeaths(t.Context(), g, "again", keyOf("again", 1))
	}
	if err != nil {
		t.Errorf("a worker that gets an order again: got %v; want nil", err)
	}
	c.clear(order1("again"), fate{})
	id := c.Workers()[0].ID
	if err := c.Drain(t.Context(), id, true, ""); err != nil {
		t.Errorf("drain: got %v; want nil", err)
	}
	if got := leftovers(t, c); got != nothingLeft {
		t.Errorf("got %s; want %s", got, nothingLeft)
	}
	if workers, err := Look(t.Context(), access); err == nil || len(workers) > 0 {
		t.Errorf("got %v, %v; want that a worker may not listen to the others", workers, err)
	}
	access.Credentials = "centre:a-long-password"
	if workers, err := Look(t.Context(), access); err != nil || len(workers) != 1 || workers[0].ID != id {
		t.Errorf("got %v, %v; want the worker", workers, err)
	}
	for name, wrong := range map[string]Access{
		"another password": {access.URL, "centre:other", cert}, "no password": {access.URL, "", cert},
		"an unknown certificate": {access.URL, access.Credentials, ""},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		if _, err := Look(ctx, wrong); err == nil || strings.Contains(err.Error(), "password") {
			t.Errorf("%s: got %v; want an error without the secret", name, err)
		}
		cancel()
	}
}

func TestCheck_CredentialsAreOneOfThree(t *testing.T) {
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	seed, err := pair.Seed()
	if err != nil {
		t.Fatal(err)
	}
	creds := "-----BEGIN NATS USER JWT-----\neyJ0eXAi.e30.x\n------END NATS USER JWT------\n\n" +
		"-----BEGIN USER NKEY SEED-----\n" + string(seed) + "\n------END USER NKEY SEED------\n"
	for text, good := range map[string]bool{"": true, "user:password": true, string(seed): true,
		string(seed) + "\n": true, creds: true, "sesame": false, string(seed[:20]): false, creds[:40]: false} {
		if err := Check(text); (err == nil) != good || err != nil && strings.Contains(err.Error(), text) {
			t.Errorf("%q: got %v; want it to be good: %v", text, err, good)
		}
	}
}
