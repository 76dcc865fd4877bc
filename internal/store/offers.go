// The templates that an owner offers on the page.

package store

import (
	"context"
	"fmt"
)

// Offers returns the templates that an owner has chosen, in their order; none: nobody has, and the settings say.
func (s *Store) Offers(ctx context.Context) ([]string, error) {
	return s.texts(ctx, `SELECT template FROM offers ORDER BY position`)
}

// SetOffers offers these templates from now on, in this order.
func (tx *Tx) SetOffers(templates []string) error {
	if _, err := tx.sql.Exec(`DELETE FROM offers`); err != nil {
		return err
	}
	for i, id := range templates {
		if _, err := tx.sql.Exec(`INSERT INTO offers (template, position) VALUES (?, ?)`, id, i); err != nil {
			return fmt.Errorf("offer template %s: %w", id, err)
		}
	}
	return nil
}

// UseVersion says that a template has another version from now on, which is what orders call order: names that wait to
// be made in advance are made with it, and videos that were made with others go to nobody else. n is how many.
func (tx *Tx) UseVersion(template, order string) (n int, err error) {
	const others = `template <> ?1 AND (template = ?2 OR template GLOB ?2 || '@*')`
	if _, err := tx.sql.Exec(`UPDATE OR IGNORE advance SET template = ?1 WHERE `+others, order, template); err != nil {
		return 0, err
	}
	if _, err := tx.sql.Exec(`DELETE FROM advance WHERE `+others, order, template); err != nil {
		return 0, err
	}
	return tx.withdraw(others, order, template)
}
