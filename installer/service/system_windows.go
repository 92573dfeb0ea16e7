package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
	"unsafe"

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

// mayManage asks the manager itself: an administrator's prompt that is not
// elevated is turned away.
func mayManage() error {
	m, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT|windows.SC_MANAGER_CREATE_SERVICE)
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		return fmt.Errorf("%w: run it from an elevated prompt", ErrRights)
	}
	if err != nil {
		return fmt.Errorf("ask the service control manager: %w", err)
	}
	return windows.CloseServiceHandle(m)
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
		return errors.Join(err, setBeside(s), keepsRecovery(s))
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

func arguments() []string { return []string{"run", "--data", DataDir(), "--json"} }

// putRight mends a service that was registered by an older installation.
func putRight(s *mgr.Service, exe string) (changed bool, err error) {
	is, err := registered(s)
	if err != nil {
		return false, err
	}
	line := windows.ComposeCommandLine(append([]string{exe}, arguments()...))
	if is.line == line && is.account == account && is.start == mgr.StartAutomatic {
		return false, nil
	}
	ptr := func(text string) *uint16 { p, _ := windows.UTF16PtrFromString(text); return p } // none of them holds a zero
	return true, windows.ChangeServiceConfig(s.Handle, windows.SERVICE_WIN32_OWN_PROCESS, mgr.StartAutomatic, mgr.ErrorNormal,
		ptr(line), nil, nil, nil, ptr(account), nil, ptr(display))
}

// setBeside sets what kardianos/service leaves out: it knows one recovery
// action only, and not that an end with an error code is a failure too; no
// delayed start; no SID, without which the folder's rights would not hold.
// What this Windows has never heard of (Wine knows the first only) it does
// without.
func setBeside(s *mgr.Service) error {
	delayed, sid := windows.SERVICE_DELAYED_AUTO_START_INFO{IsDelayedAutoStartUp: 1}, uint32(windows.SERVICE_SID_TYPE_UNRESTRICTED)
	for what, err := range map[string]error{
		"what is to happen when it fails":           s.SetRecoveryActions(recovery, recoveryReset),
		"that an end with an error is a failure":    s.SetRecoveryActionsOnNonCrashFailures(true),
		"that it starts after the PC's clerk is in": windows.ChangeServiceConfig2(s.Handle, windows.SERVICE_CONFIG_DELAYED_AUTO_START_INFO, (*byte)(unsafe.Pointer(&delayed))),
		"its own identity":                          windows.ChangeServiceConfig2(s.Handle, windows.SERVICE_CONFIG_SERVICE_SID_INFO, (*byte)(unsafe.Pointer(&sid))),
	} {
		if err != nil && !errors.Is(err, windows.ERROR_INVALID_LEVEL) {
			return fmt.Errorf("set %s: %w", what, err)
		}
	}
	return nil
}

// keepsRecovery reads back what is to happen when the service fails: a manager
// that took the words and did not keep them would leave an office closed.
func keepsRecovery(s *mgr.Service) error {
	actions, err := s.RecoveryActions()
	if errors.Is(err, windows.ERROR_INVALID_LEVEL) {
		return nil // it tells nobody
	}
	if err != nil {
		return fmt.Errorf("read back what is to happen when it fails: %w", err)
	}
	period, err := s.ResetPeriod()
	if err != nil || period != recoveryReset || !slices.Equal(actions, recovery) {
		return fmt.Errorf("what is to happen when it fails was not kept: %v after %d s (%w)", actions, period, err)
	}
	also, err := s.RecoveryActionsOnNonCrashFailures()
	if err != nil || !also {
		return fmt.Errorf("that an end with an error is a failure was not kept (%w)", err)
	}
	return nil
}

// An entry is a registered service, as far as it is held against what it should be.
type entry struct {
	line, account string
	start         uint32
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

// registered reads the entry. mgr.Service.Config would do, but it also asks for
// levels that not every manager knows, and then gives nothing at all.
func registered(s *mgr.Service) (e entry, err error) {
	size := uint32(1024)
	for {
		b := make([]byte, size)
		c := (*windows.QUERY_SERVICE_CONFIG)(unsafe.Pointer(&b[0]))
		err := windows.QueryServiceConfig(s.Handle, c, size, &size)
		if err == nil {
			return entry{windows.UTF16PtrToString(c.BinaryPathName), windows.UTF16PtrToString(c.ServiceStartName), c.StartType}, nil
		}
		if !errors.Is(err, windows.ERROR_INSUFFICIENT_BUFFER) || int(size) <= len(b) {
			return e, err
		}
	}
}

// Account gives the account the service is registered with, and the one it
// should be.
func Account() (is, should string, err error) {
	err = withService(windows.SERVICE_QUERY_CONFIG, func(s *mgr.Service) error {
		e, err := registered(s)
		is = e.account
		return err
	})
	return is, account, err
}

// isPackaged: there is no package for Windows yet.
func isPackaged() bool { return false }

// removeAccount: Windows removes the account with the service.
func removeAccount(context.Context) error { return nil }
