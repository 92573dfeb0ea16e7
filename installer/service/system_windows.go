package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	kardianos "github.com/kardianos/service"
	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"
)

// account is the service's own, made by Windows with the service and without a
// password; it is nobody's administrator.
const account = `NT SERVICE\` + Name

// recovery is what Windows does when the service ends by itself. The count
// starts anew after a day without a failure.
var recovery = []mgr.RecoveryAction{
	{Type: mgr.ServiceRestart, Delay: 5 * time.Second},
	{Type: mgr.ServiceRestart, Delay: 30 * time.Second},
	{Type: mgr.ServiceRestart, Delay: 5 * time.Minute},
}

const recoveryReset = 24 * 60 * 60 // seconds

func mayManage() error {
	if !windows.GetCurrentProcessToken().IsElevated() {
		return fmt.Errorf("%w: run it from an elevated prompt", ErrRights)
	}
	return nil
}

// install lets kardianos/service register the service, and then sets beside it
// what that leaves out.
func install(ctx context.Context, c Config) (changed bool, err error) {
	st, err := standing(ctx)
	if err != nil {
		return false, err
	}
	if st.State == Absent {
		s, err := registration(c.Exe)
		if err != nil {
			return false, err
		}
		if err := s.Install(); err != nil {
			return false, err
		}
		changed = true
	}
	// After the service: the account is made with it.
	if err := prepare(ctx); err != nil {
		return changed, err
	}
	err = withService(windows.SERVICE_ALL_ACCESS, func(s *mgr.Service) error {
		differs, err := putRight(s, c.Exe)
		changed = changed || differs
		return errors.Join(err, setBeside(s))
	})
	return changed, err
}

// registration names no folder and no environment: Windows ignores the one
// and keeps the other in the registry for all to read.
func registration(exe string) (kardianos.Service, error) {
	return kardianos.New(nil, &kardianos.Config{
		Name: Name, DisplayName: display, Description: description,
		Executable: exe, Arguments: arguments(), UserName: account,
	})
}

func arguments() []string { return []string{"run", "--json"} }

// putRight mends a service that was registered by an older installation.
func putRight(s *mgr.Service, exe string) (changed bool, err error) {
	c, err := s.Config()
	if err != nil {
		return false, err
	}
	want := c
	want.BinaryPathName = windows.ComposeCommandLine(append([]string{exe}, arguments()...))
	want.StartType, want.ServiceStartName = mgr.StartAutomatic, account
	want.DisplayName, want.Description = display, description
	// Delayed: the PC's clerk logs in first. The SID is what the folder's rights
	// name; without it they would not hold.
	want.DelayedAutoStart, want.SidType = true, windows.SERVICE_SID_TYPE_UNRESTRICTED
	if same(c, want) {
		return false, nil
	}
	return true, s.UpdateConfig(want)
}

func same(a, b mgr.Config) bool {
	return a.BinaryPathName == b.BinaryPathName && a.StartType == b.StartType && a.ServiceStartName == b.ServiceStartName &&
		a.DisplayName == b.DisplayName && a.Description == b.Description && a.DelayedAutoStart == b.DelayedAutoStart && a.SidType == b.SidType
}

// setBeside sets the recovery: kardianos/service knows one action only, and
// not that an end with an error code is a failure too.
func setBeside(s *mgr.Service) error {
	if err := s.SetRecoveryActions(recovery, recoveryReset); err != nil {
		return fmt.Errorf("what is to happen when it fails: %w", err)
	}
	if err := s.SetRecoveryActionsOnNonCrashFailures(true); err != nil {
		return fmt.Errorf("that an end with an error counts as failing: %w", err)
	}
	return nil
}

func remove(ctx context.Context) error {
	st, err := standing(ctx)
	if err != nil || st.State == Absent {
		return err
	}
	s, err := registration(os.Args[0])
	if err != nil {
		return err
	}
	err = s.Uninstall()
	// It deletes the service first and then trips over an event source that is
	// gone already. Whether the service is off the list is looked at by await.
	if st, look := standing(ctx); look == nil && st.State == Absent {
		return nil
	}
	return err
}

func start(context.Context) error {
	return withService(windows.SERVICE_START|windows.SERVICE_QUERY_STATUS, func(s *mgr.Service) error { return s.Start() })
}

// stop asks only; the waiting is await's.
func stop(context.Context) error {
	err := withService(windows.SERVICE_STOP|windows.SERVICE_QUERY_STATUS, func(s *mgr.Service) error {
		_, err := s.Control(svc.Stop)
		return err
	})
	if errors.Is(err, windows.ERROR_SERVICE_NOT_ACTIVE) || errors.Is(err, windows.ERROR_SERVICE_CANNOT_ACCEPT_CTRL) {
		return nil // it has just ended, or is on its way
	}
	return err
}

func standing(context.Context) (Standing, error) {
	var st svc.Status
	err := withService(windows.SERVICE_QUERY_STATUS, func(s *mgr.Service) (err error) {
		st, err = s.Query()
		return err
	})
	switch {
	case errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST), errors.Is(err, windows.ERROR_SERVICE_MARKED_FOR_DELETE):
		return Standing{State: Absent}, nil
	case err != nil:
		return Standing{}, fmt.Errorf("ask the service control manager: %w", err)
	}
	return Standing{State: stateOf(st), PID: int(st.ProcessId)}, nil
}

func stateOf(st svc.Status) State {
	switch st.State {
	case svc.StartPending:
		return Starting
	case svc.Running:
		return Running
	case svc.StopPending:
		return Stopping
	}
	if st.Win32ExitCode != 0 && st.Win32ExitCode != uint32(windows.ERROR_SERVICE_NEVER_STARTED) {
		return Failed
	}
	return Stopped
}

// withService opens the service with the rights that are needed and no more:
// everybody may ask, also who is no administrator.
func withService(rights uint32, f func(*mgr.Service) error) error {
	m, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT)
	if err != nil {
		return err
	}
	defer windows.CloseServiceHandle(m)
	name, err := windows.UTF16PtrFromString(Name)
	if err != nil {
		return err
	}
	h, err := windows.OpenService(m, name, rights)
	if err != nil {
		return err
	}
	s := &mgr.Service{Name: Name, Handle: h}
	defer s.Close()
	return f(s)
}

// Account gives the account the service is registered with, and the one it
// should be.
func Account() (is, should string, err error) {
	err = withService(windows.SERVICE_QUERY_CONFIG, func(s *mgr.Service) error {
		c, err := s.Config()
		is = c.ServiceStartName
		return err
	})
	return is, account, err
}

// isPackaged: there is no package for Windows yet.
func isPackaged() bool { return false }

// removeAccount: Windows removes the account with the service.
func removeAccount(context.Context) error { return nil }
