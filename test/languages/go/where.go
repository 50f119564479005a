package main

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
)

// where names the line of a check that panicked, for the report: the first frame that is neither Go's nor the harness's.
func where() string {
	callers := make([]uintptr, 32)
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers)])
	for {
		frame, more := frames.Next()
		file := filepath.Base(frame.File)
		ours := strings.HasPrefix(frame.Function, "main.") && file != "harness.go" && file != "where.go"
		if ours {
			return fmt.Sprintf(" (line %d of %s)", frame.Line, file)
		}
		if !more {
			return ""
		}
	}
}
