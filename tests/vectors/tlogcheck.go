// Tlogcheck holds what Comity writes against the Go project's own implementation of signed notes and transparency logs,
// the one that guards the Go checksum database: nothing in here was written by us but the reading of files.
//
//	tlogcheck VKEY ENTRY PROOF         ENTRY, the exact bytes of a record, is in the log as the .tlog-proof file says
//	tlogcheck VKEY -extends OLD NEW PATH   the checkpoint NEW extends the checkpoint OLD; PATH: one base64 hash a line
//
// One line says what was found; the exit code is 0 when all holds, 1 when it does not, 2 for a wrong call.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	proofHead   = "c2sp.org/tlog-proof@v1\n"
	indexPrefix = "index "
)

// openCheckpoint verifies a signed note and reads the three lines of its text.
func openCheckpoint(vkey string, msg []byte) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tlog.Tree{}, err
	}
	n, err := note.Open(msg, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] != verifier.Name() {
		return tlog.Tree{}, errors.New("the note is no checkpoint of this log")
	}
	size, err := parseNumber(lines[1])
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return tlog.Tree{}, err
	}
	return tlog.Tree{N: size, Hash: root}, nil
}

func parseNumber(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != text {
		return 0, fmt.Errorf("%q is no number", text)
	}
	return n, nil
}

func parseHashes(text string) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if line == "" {
			continue
		}
		h, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, h)
	}
	return hashes, nil
}

func checkRecord(vkey string, entry, proof []byte) (string, error) {
	head, checkpoint, found := bytes.Cut(proof, []byte("\n\n"))
	text := string(head) + "\n"
	if !found || !strings.HasPrefix(text, proofHead+indexPrefix) {
		return "", errors.New("this is no tlog-proof")
	}
	number, path, _ := strings.Cut(strings.TrimPrefix(text, proofHead+indexPrefix), "\n")
	index, err := parseNumber(number)
	if err != nil {
		return "", err
	}
	hashes, err := parseHashes(path)
	if err != nil {
		return "", err
	}
	tree, err := openCheckpoint(vkey, checkpoint)
	if err != nil {
		return "", err
	}
	if err := tlog.CheckRecord(hashes, tree.N, tree.Hash, index, tlog.RecordHash(entry)); err != nil {
		return "", err
	}
	return fmt.Sprintf("record %d is in the log of %d", index, tree.N), nil
}

func checkExtends(vkey string, oldNote, newNote, path []byte) (string, error) {
	older, err := openCheckpoint(vkey, oldNote)
	if err != nil {
		return "", err
	}
	newer, err := openCheckpoint(vkey, newNote)
	if err != nil {
		return "", err
	}
	hashes, err := parseHashes(string(path))
	if err != nil {
		return "", err
	}
	if err := tlog.CheckTree(hashes, newer.N, newer.Hash, older.N, older.Hash); err != nil {
		return "", err
	}
	return fmt.Sprintf("the log of %d extends that of %d", newer.N, older.N), nil
}

func readAll(names []string) [][]byte {
	var files [][]byte
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			fmt.Println("tlogcheck:", err)
			os.Exit(2)
		}
		files = append(files, content)
	}
	return files
}

func main() {
	var said string
	var err error
	args := os.Args[1:]
	switch {
	case len(args) == 3:
		files := readAll(args[1:])
		said, err = checkRecord(args[0], files[0], files[1])
	case len(args) == 5 && args[1] == "-extends":
		files := readAll(args[2:])
		said, err = checkExtends(args[0], files[0], files[1], files[2])
	default:
		fmt.Println("usage: tlogcheck VKEY ENTRY PROOF | tlogcheck VKEY -extends OLD NEW PATH")
		os.Exit(2)
	}
	if err != nil {
		fmt.Println("refused:", err)
		os.Exit(1)
	}
	fmt.Println("ok:", said)
}
