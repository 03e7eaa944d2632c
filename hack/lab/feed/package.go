package feed

import (
	"archive/zip"
	"bytes"
	"fmt"
)

// Package makes a package with files, each a name and its text. A package is a zip archive, and the same files make the
// same bytes.
func Package(id, version string, files ...string) string { return pack(id, version, "", files) }

// Tool makes a package with a .NET tool: its files have to be those of one, DotnetToolSettings.xml included.
func Tool(id, version string, files ...string) string {
	return pack(id, version, `<packageTypes><packageType name="DotnetTool" /></packageTypes>`, files)
}

// pack makes a package. more are further elements of its metadata.
func pack(id, version, more string, files []string) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	put := func(name, data string) {
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
		if err == nil {
			_, err = f.Write([]byte(data))
		}
		if err != nil {
			panic(err) // a buffer takes all
		}
	}
	put(id+".nuspec", fmt.Sprintf("<?xml version=\"1.0\"?>\n<package "+
		"xmlns=\"http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd\"><metadata><id>%s</id><version>%s</version>"+
		"<authors>team</authors><description>%[1]s</description>%[3]s</metadata></package>\n", id, version, more))
	for i := 0; i < len(files); i += 2 {
		put(files[i], files[i+1])
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.String()
}
