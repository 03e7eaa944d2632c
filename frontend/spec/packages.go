package spec

// Any tells whether there are packages to install, on some platform at least.
func (p Packages) Any() bool { return len(p.Install)+len(p.Only) > 0 }
