// Pack writes the Go module of digger as a module proxy serves it: FOLDER/digger.example/go/@v with list, .info, .mod and .zip.
// The version is that of package.json, its date that of CHANGELOG.md, so the same sources make the same bytes.
//
//	go run ./pack [FOLDER]	(from src/go/tools; FOLDER is release/go of the repository unless given)
//
// Any web server can serve the folder, and GOPROXY=file://FOLDER reads it where it lies.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

func main() {
	if err := pack(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func pack(args []string) error {
	root, err := filepath.Abs("../../..")
	if err != nil {
		return err
	}
	out := filepath.Join(root, "release", "go")
	if len(args) > 0 {
		if out, err = filepath.Abs(args[0]); err != nil {
			return err
		}
	}
	version, date, err := release(root)
	if err != nil {
		return err
	}
	source := filepath.Join(root, "src", "go")
	goMod, err := os.ReadFile(filepath.Join(source, "go.mod"))
	if err != nil {
		return err
	}
	path := modfile.ModulePath(goMod)
	files, err := moduleFiles(source)
	if err != nil {
		return err
	}
	// As the go command does for a module in a folder of a repository: it takes the licence of the whole along.
	files = append(files, file{path: "LICENSE", source: filepath.Join(root, "LICENSE")})

	escaped, err := module.EscapePath(path)
	if err != nil {
		return err
	}
	folder := filepath.Join(out, filepath.FromSlash(escaped), "@v")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	target, err := os.Create(filepath.Join(folder, version+".zip"))
	if err != nil {
		return err
	}
	defer target.Close()
	if err := zip.Create(target, module.Version{Path: path, Version: version}, files); err != nil {
		return err
	}
	if err := target.Close(); err != nil {
		return err
	}
	for name, content := range map[string]string{
		"list":            version + "\n",
		version + ".info": fmt.Sprintf("{\"Version\":%q,\"Time\":%q}\n", version, date+"T00:00:00Z"),
		version + ".mod":  string(goMod),
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	fmt.Printf("%s@%s in %s\n", path, version, out)
	return nil
}

// release returns the version of package.json, with v, and the date that CHANGELOG.md gives for it.
func release(root string) (version, date string, err error) {
	text, err := os.ReadFile(filepath.Join(root, "package.json"))
	if err != nil {
		return "", "", err
	}
	var manifest struct{ Version string }
	if err := json.Unmarshal(text, &manifest); err != nil {
		return "", "", fmt.Errorf("package.json: %w", err)
	}
	changelog, err := os.ReadFile(filepath.Join(root, "CHANGELOG.md"))
	if err != nil {
		return "", "", err
	}
	heading := regexp.MustCompile(`(?m)^## ` + regexp.QuoteMeta(manifest.Version) + ` - (\d{4}-\d\d-\d\d)$`)
	found := heading.FindSubmatch(changelog)
	if found == nil {
		return "", "", fmt.Errorf("CHANGELOG.md: no heading \"## %s - YYYY-MM-DD\" for the version of package.json", manifest.Version)
	}
	return "v" + manifest.Version, string(found[1]), nil
}

// moduleFiles lists what belongs to the module in folder: modules of their own further below do not.
func moduleFiles(folder string) ([]zip.File, error) {
	var files []zip.File
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil && path != folder {
				return filepath.SkipDir
			}
			return nil
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		files = append(files, file{path: filepath.ToSlash(name), source: path})
		return nil
	})
	return files, err
}

type file struct{ path, source string }

func (f file) Path() string                 { return f.path }
func (f file) Lstat() (os.FileInfo, error)  { return os.Lstat(f.source) }
func (f file) Open() (io.ReadCloser, error) { return os.Open(f.source) }
