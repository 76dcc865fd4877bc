// Release builds what people download into a folder: for each processor an archive, a Debian package and a list of all
// that is in the program (an SBOM), and the checksums of these. The same commit gives the same bytes.
//
//	go run ./packaging/release -version v1.2.3 -o build/release
//
// It runs in the root of the repository.
package main

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// nfpm makes the Debian packages. Later versions need a module that the Go proxy refuses.
const nfpm = "github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.0"

// processors are those that a release is made for, as Go and Debian call them alike.
var processors = []string{"amd64", "arm64"}

func main() {
	version := flag.String("version", "", "of the release; empty: as packaging/version.sh says")
	out := flag.String("o", "build/release", "`folder` for what is made; it is emptied first")
	flag.Parse()
	if err := release(*version, *out); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func release(version, out string) (err error) {
	if version == "" {
		if version, err = output("packaging/version.sh"); err != nil {
			return err
		}
	}
	seconds, err := output("git", "log", "-1", "--format=%ct")
	if err != nil {
		return err
	}
	unix, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return fmt.Errorf("the time of the commit: %w", err)
	}
	if err := errors.Join(os.RemoveAll(out), os.MkdirAll(out, 0o755)); err != nil {
		return err
	}
	ffmpeg, err := output("ffmpeg", "-version")
	if err != nil {
		return err
	}
	words := strings.Fields(ffmpeg) // "ffmpeg version 5.1.9-0+deb12u1 Copyright …"
	if len(words) < 3 || words[1] != "version" {
		return fmt.Errorf("ffmpeg -version: got %q", ffmpeg)
	}
	made := maker{version: version, ffmpeg: words[2], out: out, at: time.Unix(unix, 0).UTC(),
		stage: filepath.Join("build", "stage")}
	for _, arch := range processors {
		if err := made.all(arch); err != nil {
			return fmt.Errorf("%s: %w", arch, err)
		}
	}
	return checksums(out)
}

// output is what a program prints, without the end of the line.
func output(argv ...string) (string, error) {
	b, err := exec.Command(argv[0], argv[1:]...).Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", strings.Join(argv, " "), err)
	}
	return strings.TrimSpace(string(b)), nil
}

// maker makes the files of one release.
type maker struct {
	version string
	ffmpeg  string    // its version here, which the tests ran with
	at      time.Time // of the commit, and of every file
	out     string    // for what is published
	stage   string    // for what goes into packages: nfpm.yaml names this folder
}

func (m maker) all(arch string) error {
	if err := errors.Join(os.RemoveAll(m.stage), os.MkdirAll(m.stage, 0o755)); err != nil {
		return err
	}
	program := filepath.Join(m.stage, "retake")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -X main.version="+m.version, "-o", program,
		".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	if err := run(build); err != nil {
		return err
	}
	files, err := m.contents()
	if err == nil {
		err = m.fill(files)
	}
	if err != nil {
		return err
	}
	name := "retake-" + strings.TrimPrefix(m.version, "v") + "-linux-" + arch
	parts, err := m.sbom(program)
	if err == nil {
		err = os.WriteFile(filepath.Join(m.out, name+".cdx.json"), parts, 0o644)
	}
	if err == nil {
		err = m.archive(name, files)
	}
	if err != nil {
		return err
	}
	pack := exec.Command("go", "run", nfpm, "package", "--config", "packaging/nfpm.yaml", "--packager", "deb",
		"--target", filepath.Join(m.out, "retake_"+debVersion(m.version)+"_"+arch+".deb"))
	pack.Env = append(os.Environ(), "ARCH="+arch, "VERSION="+debVersion(m.version),
		"SOURCE_DATE_EPOCH="+strconv.FormatInt(m.at.Unix(), 10))
	return run(pack)
}

func run(cmd *exec.Cmd) error {
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, text)
	}
	return nil
}

// described is what git describe says: a tag, the commits since, the last of them, and whether files were changed after
// it.
var described = regexp.MustCompile(`^(.*?)(?:-(\d+)-(g[0-9a-f]+))?(-dirty)?$`)

// debVersion is a version as Debian compares it: 0~git20261130.533+g5ab1cd2 before the first tag, then 1.2.3~rc1, then
// 1.2.3, then 1.2.3+4.g5ab1cd2, four commits after it.
func debVersion(version string) string {
	part := described.FindStringSubmatch(version)
	number := strings.ReplaceAll(strings.TrimPrefix(part[1], "v"), "-", "~")
	if part[2] != "" {
		number += "+" + part[2] + "." + part[3]
	}
	if part[4] != "" {
		number += "+dirty"
	}
	return number
}

// archive packs the program with all that is needed to install it by hand.
func (m maker) archive(name string, files map[string]file) error {
	var b bytes.Buffer
	zip, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return err
	}
	pack := tar.NewWriter(zip)
	for _, path := range slices.Sorted(maps.Keys(files)) {
		f := files[path]
		if err := pack.WriteHeader(&tar.Header{Name: name + "/" + path, Mode: int64(f.mode), Size: int64(len(f.text)),
			ModTime: m.at, Format: tar.FormatPAX}); err != nil {
			return err
		}
		if _, err := pack.Write(f.text); err != nil {
			return err
		}
	}
	if err := errors.Join(pack.Close(), zip.Close()); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(m.out, name+".tar.gz"), b.Bytes(), 0o644)
}

// component is a part of the program in CycloneDX.
type component struct {
	Type    string `json:"type"`
	Ref     string `json:"bom-ref"`
	Name    string `json:"name"`
	Version string `json:"version"`
	About   string `json:"description,omitempty"`
	URL     string `json:"purl,omitempty"`
	Hashes  []hash `json:"hashes,omitempty"`
}

type hash struct {
	Alg     string `json:"alg"`
	Content string `json:"content"`
}

// sbom lists what a program was built from, as it says itself, in CycloneDX 1.6.
func (m maker) sbom(program string) ([]byte, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	sum := fmt.Sprintf("%x", sha256.Sum256(text))
	parts := []component{{Type: "platform", Ref: "go", Name: "go", Version: strings.TrimPrefix(info.GoVersion, "go"),
		URL: "pkg:golang/std@" + strings.TrimPrefix(info.GoVersion, "go")}}
	for _, module := range info.Deps {
		if module.Replace != nil {
			module = module.Replace
		}
		url := "pkg:golang/" + module.Path + "@" + module.Version
		parts = append(parts, component{Type: "library", Ref: url, Name: module.Path, Version: module.Version,
			URL: url})
	}
	slices.SortFunc(parts, func(a, b component) int { return cmp.Compare(a.Ref, b.Ref) })
	parts = append(parts, component{Type: "application", Ref: "ffmpeg", Name: "ffmpeg", Version: m.ffmpeg,
		About: "not included: the one of the machine runs. This is the version it was tested with"})
	id := sum[:8] + "-" + sum[8:12] + "-5" + sum[13:16] + "-8" + sum[17:20] + "-" + sum[20:32]
	return json.MarshalIndent(map[string]any{
		"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "serialNumber": "urn:uuid:" + id,
		"metadata": map[string]any{"timestamp": m.at.Format(time.RFC3339),
			"component": component{Type: "application", Ref: "retake", Name: "retake", Version: m.version,
				Hashes: []hash{{"SHA-256", sum}}}},
		"components": parts,
	}, "", "  ")
}

// checksums writes SHA256SUMS, which sha256sum -c reads.
func checksums(dir string) error {
	files, err := os.ReadDir(dir) // sorted
	if err != nil {
		return err
	}
	var lines strings.Builder
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&lines, "%x  %s\n", sha256.Sum256(text), f.Name())
	}
	return os.WriteFile(filepath.Join(dir, "SHA256SUMS"), []byte(lines.String()), 0o644)
}
