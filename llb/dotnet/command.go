package dotnet

import (
	"errors"
	"fmt"
	"path"
	"slices"
)

// Resolve returns ENTRYPOINT and CMD of the image, by the rules of the SDK's task CreateNewImage
// (DetermineEntrypointAndCmd). It never inherits the CMD of a base, because that belongs to the base's entrypoint.
func (c Command) Resolve(baseEntrypoint []string) (entrypoint, cmd []string, err error) {
	// The entrypoint of some .NET base images is dotnet, which the app command already names.
	if len(baseEntrypoint) == 1 && (baseEntrypoint[0] == "dotnet" || baseEntrypoint[0] == "/usr/bin/dotnet") {
		baseEntrypoint = nil
	}
	instruction, own := c.Instruction, len(c.Entrypoint) > 0 || len(c.EntrypointArgs) > 0
	if instruction == "" {
		switch {
		case !own:
			instruction = "Entrypoint"
		case len(c.Entrypoint) == 0 && len(c.AppCommandArgs) == 0 && len(c.DefaultArgs) == 0:
			// ContainerEntrypointArgs alone works as before SDK 8: the app starts, and these are its default arguments.
			return c.AppCommand, c.EntrypointArgs, nil
		default:
			instruction = "DefaultArgs"
		}
	}
	if len(c.EntrypointArgs) > 0 && len(c.Entrypoint) == 0 {
		return nil, nil, errors.New(
			"the project sets ContainerEntrypointArgs without ContainerEntrypoint: set both, or image.entrypoint in the spec")
	}
	switch instruction {
	case "Entrypoint":
		if own {
			return nil, nil, errors.New(
				"the project sets ContainerEntrypoint and ContainerAppCommandInstruction=Entrypoint, which exclude each other: " +
					"use DefaultArgs or None")
		}
		return slices.Concat(c.AppCommand, c.AppCommandArgs), c.DefaultArgs, nil
	case "DefaultArgs":
		cmd = slices.Concat(c.AppCommand, c.AppCommandArgs, c.DefaultArgs)
	case "None":
		if len(c.AppCommandArgs) > 0 {
			return nil, nil, errors.New(
				"the project sets ContainerAppCommandInstruction=None and ContainerAppCommandArgs, which exclude each other: " +
					"remove one")
		}
		cmd = c.DefaultArgs
	default:
		return nil, nil, fmt.Errorf(
			"ContainerAppCommandInstruction %s is not known: use Entrypoint, DefaultArgs or None", instruction)
	}
	if !own {
		return baseEntrypoint, cmd, nil
	}
	return slices.Concat(c.Entrypoint, c.EntrypointArgs), cmd, nil
}

// Start is the command of the app for its mode. The SDK names the launcher only for a self-contained app, and dotnet in
// all other cases. That is wrong for a single file, and not what apphost mode asks for.
func (app *App) Start() Command {
	c := app.Command
	byDotnet := len(c.AppCommand) == 2 && c.AppCommand[0] == "dotnet" &&
		path.Base(c.AppCommand[1]) == app.TargetFileName
	if app.Mode.Executable() && byDotnet {
		c.AppCommand = []string{path.Join(path.Dir(c.AppCommand[1]), app.AssemblyName)}
	}
	return c
}
