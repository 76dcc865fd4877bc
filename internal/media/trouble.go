// trouble.go says what it means when a service that speaks S3 does not do what it is asked.

package media

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
)

// The codes of a Trouble. They are stored, and texts for people are found by them: they never change.
const (
	CodeUnreachable = "media_s3_unreachable" // there is no answer, or not one of the service
	CodeBusy        = "media_s3_busy"        // it asks to slow down
	CodeBucket      = "media_s3_bucket"      // there is no such bucket
	CodeAccessKey   = "media_s3_access_key"  // the key is not known
	CodeSecretKey   = "media_s3_secret_key"  // the secret does not belong to the key
	CodeRegion      = "media_s3_region"      // the bucket is in another region
	CodeClock       = "media_s3_clock"       // the clock of this computer is wrong
	CodePermission  = "media_s3_permission"  // the key may not do that
	CodeQuota       = "media_s3_quota"       // there is no room left
	CodeRefused     = "media_s3_refused"     // anything else
	CodeLost        = "media_s3_lost"        // it answered that it keeps a file, and does not
	CodeDamaged     = "media_s3_damaged"     // it keeps another file than it was given
	CodeKept        = "media_s3_kept"        // it answered that it deleted a file, and has it
	CodeVersions    = "media_s3_versions"    // it keeps old versions of files that are to be deleted
)

// Trouble is why the service did not do what it was asked to do, when that is no fault of the file.
type Trouble struct {
	code, text string
	err        error
	answered   bool
	waits      bool
}

func (t *Trouble) Error() string { return t.text }
func (t *Trouble) Unwrap() error { return t.err }

// Code returns which trouble it is: one of the constants.
func (t *Trouble) Code() string { return t.code }

// RetryAfter says that a job waits: files are not lost because a service is away for an hour.
func (t *Trouble) RetryAfter() (time.Duration, bool) { return pause, t.waits }

// met makes an error of the client one of ours, and remembers since when calls of that kind fail.
func (s *S3) met(ctx context.Context, kind call, err error) error {
	refusal, answered := errors.AsType[minio.ErrorResponse](err)
	_, local := errors.AsType[*fs.PathError](err)
	late, isLate := errors.AsType[slow](context.Cause(ctx))
	switch {
	case err == nil:
		s.works(kind)
		return nil
	case answered && refusal.Code == minio.NoSuchKey:
		s.works(kind)
		return &fs.PathError{Op: "open", Path: refusal.Key, Err: fs.ErrNotExist}
	case isLate:
		err, answered = late, false
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %v", ctx.Err(), err)
	case local: // the file that was to be sent
		return err
	}
	if answered && !(refusal.StatusCode >= http.StatusInternalServerError && isStatus(refusal)) {
		code, text := s.refused(refusal)
		return s.trouble(kind, true, code, text, err)
	}
	return s.trouble(kind, false, CodeUnreachable,
		fmt.Sprintf("the media store at %s cannot be reached: %v", s.config.Endpoint, bare(err)), err)
}

// isStatus reports whether an answer says no more than its status, as one of a proxy before the service does.
func isStatus(r minio.ErrorResponse) bool { return strings.HasPrefix(r.Code, fmt.Sprint(r.StatusCode)) }

func (s *S3) works(kind call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.failed, kind)
	// A deletion is tried again without an end, so its clock matters to nobody while files can be kept.
	if kind == writes {
		delete(s.failed, deletes)
	}
}

// trouble returns the error of a call, which waits until calls of that kind have failed for as long as patience.
func (s *S3) trouble(kind call, answered bool, code, text string, err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, clock := time.Now(), s.failed[kind]
	if now.Sub(clock.last) > forgotten {
		clock.since = now
	}
	clock.last = now
	s.failed[kind] = clock
	return &Trouble{code: code, text: text, err: err, answered: answered, waits: now.Sub(clock.since) < s.patience}
}

// refused says in a sentence what the service's answer means.
func (s *S3) refused(r minio.ErrorResponse) (code, text string) {
	switch r.Code {
	case "NoSuchBucket", "InvalidBucketName", "NoSuchBucketName":
		return CodeBucket, fmt.Sprintf("%s.bucket: there is no bucket %q at %s", s.config.Setting, s.config.Bucket,
			s.config.Endpoint)
	case "InvalidAccessKeyId", "XAdminUserNotFound", "InvalidToken", "UnauthorizedAccess":
		return CodeAccessKey, s.config.Setting + ".access_key: the media store does not know this key"
	case "SignatureDoesNotMatch":
		return CodeSecretKey, s.config.Setting + ".secret_key: this is not the secret of the access key"
	case "AuthorizationHeaderMalformed", "PermanentRedirect", "TemporaryRedirect", "MovedPermanently", "InvalidRegion",
		"IllegalLocationConstraintException", "InvalidLocationConstraint":
		return CodeRegion, fmt.Sprintf("%s.region: the bucket %q is not in the region %q (%s)", s.config.Setting,
			s.config.Bucket, s.config.Region, r.Code)
	case "RequestTimeTooSkewed", "RequestExpired", "ExpiredToken":
		return CodeClock, fmt.Sprintf("the media store refuses because the clock of this computer is wrong (%s)", r.Code)
	case "QuotaExceeded", "StorageQuotaExceeded", "ServiceQuotaExceeded", "XMinioAdminBucketQuotaExceeded",
		"XMinioStorageFull", "InsufficientCapacity", "InsufficientStorage", "StorageCapExceeded", "CapExceeded",
		"cap_exceeded":
		return CodeQuota, fmt.Sprintf("the media store has no room left: raise the quota of the bucket %q, or delete "+
			"files (%s)", s.config.Bucket, r.Code)
	case "SlowDown", "SlowDownRead", "SlowDownWrite", "TooManyRequests", "RequestLimitExceeded", "ServiceUnavailable",
		"ThrottlingException", "XMinioServerBusy", "Busy":
		return CodeBusy, fmt.Sprintf("the media store at %s is busy (%s)", s.config.Endpoint, r.Code)
	case "AccessDenied", "AllAccessDisabled", "AccountProblem", "Forbidden", "NotSignedUp", "MethodNotAllowed":
		return CodePermission, fmt.Sprintf("the media store forbids it: %s.access_key needs permission to list, read, "+
			"write and delete in the bucket %q (%s)", s.config.Setting, s.config.Bucket, r.Code)
	}
	switch r.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return CodeRegion, fmt.Sprintf("%s.region: the bucket %q is not in the region %q (%d)", s.config.Setting,
			s.config.Bucket, s.config.Region, r.StatusCode)
	case http.StatusUnauthorized, http.StatusForbidden:
		return CodePermission, fmt.Sprintf("the media store forbids it: %s.access_key needs permission to list, read, "+
			"write and delete in the bucket %q (%s)", s.config.Setting, s.config.Bucket, oneLine(r.Code))
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return CodeBusy, fmt.Sprintf("the media store at %s is busy (%d)", s.config.Endpoint, r.StatusCode)
	case http.StatusInsufficientStorage:
		return CodeQuota, fmt.Sprintf("the media store has no room left: raise the quota of the bucket %q, or delete "+
			"files (%d)", s.config.Bucket, r.StatusCode)
	}
	return CodeRefused, fmt.Sprintf("the media store at %s refuses: %s %s", s.config.Endpoint, oneLine(r.Code),
		oneLine(r.Message))
}

// bare returns an error without the request it belongs to, which is long and tells an operator nothing.
func bare(err error) error {
	if of, ok := errors.AsType[*url.Error](err); ok {
		return of.Err
	}
	return err
}

// oneLine shortens what a service says.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	return strings.ToValidUTF8(s[:min(len(s), 200)], "")
}
